"""What runs leave behind: artifacts and variables."""

import asyncio

from harness.scenario import Notes, scenario
from prefect import flow, task
from prefect.variables import Variable


@scenario("artifacts")
def artifacts(notes: Notes) -> None:
    from prefect.artifacts import (
        Artifact,
        create_image_artifact,
        create_link_artifact,
        create_markdown_artifact,
        create_progress_artifact,
        create_table_artifact,
        update_progress_artifact,
    )

    @task(name="artifacts.task")
    def in_a_task() -> None:
        create_markdown_artifact("# From a task", key="artifacts-of-task", description="a report")
        create_table_artifact([{"a": 1, "b": None}, {"a": 2, "b": "ü"}], key="artifacts-rows")

    @flow(name="artifacts")
    def leaves() -> list[object]:
        create_link_artifact("https://example.com/one", link_text="one", key="artifacts-link", description="a link")
        create_link_artifact("https://example.com/no-key")
        create_markdown_artifact("**bold**\n\n- list", key="artifacts-report")
        create_markdown_artifact("the second of its key", key="artifacts-report")
        create_table_artifact({"x": [1, 2], "y": [3.5, float("nan")]}, key="artifacts-columns")
        create_image_artifact("https://example.com/image.png", key="artifacts-image", description="an image")
        progress = create_progress_artifact(10.0, key="artifacts-progress", description="on the way")
        seen = []
        for percent in (40.0, 100.0):
            update_progress_artifact(progress, percent)
            seen.append(Artifact.get("artifacts-progress").data)
        update_progress_artifact(progress, 100.0, description="arrived")
        Artifact(type="custom", key="artifacts-custom", data={"any": ["thing", 1]}).create()
        in_a_task()
        return [*seen, Artifact.get("artifacts-report").data, Artifact.get("artifacts-unknown")]

    notes.add("seen", leaves())
    notes.raised("key", lambda: create_markdown_artifact("no", key="Not A Key"))
    notes.add("made or found", Artifact.get_or_create("artifacts-made", type="custom", data="first")[1])
    notes.add("made or found again", Artifact.get_or_create("artifacts-made", type="custom", data="second")[0].data)

    @flow(name="artifacts.async")
    async def leaves_async() -> None:
        await Artifact(type="custom", key="artifacts-async", data=1).acreate()

    asyncio.run(leaves_async())


@scenario("variables")
def variables(notes: Notes) -> None:
    @task(name="variables.read")
    def read(name: str) -> object:
        return Variable.get(name)

    @flow(name="variables")
    def uses() -> list[object]:
        Variable.set("variables_in_flow", {"a": [1, None, True, "ü"]})
        return [Variable.get("variables_in_flow"), read("variables_in_flow"), Variable.get("variables_nowhere", default=7)]

    notes.add("in a flow", uses())
    for number, value in enumerate([None, True, 1.5, "text", [1, 2], {"deep": {"er": []}}, ""]):
        Variable.set(f"variables_{number}", value, tags=["b", "a"])
        notes.add(f"value {number}", Variable.get(f"variables_{number}", default="default"))
    notes.raised("set twice", lambda: Variable.set("variables_3", "again"))
    notes.add("overwritten", Variable.set("variables_3", "again", overwrite=True).value)
    notes.add("unset", [Variable.unset("variables_3"), Variable.unset("variables_3"), Variable.get("variables_3")])
    notes.raised("name", lambda: Variable.set("Not a name!", 1))
    notes.raised("too long", lambda: Variable.set("variables_long", "x" * 6000))

    async def asynchronous() -> object:
        await Variable.aset("variables_async", 1)
        return [await Variable.aget("variables_async"), await Variable.aunset("variables_async")]

    notes.add("async", asyncio.run(asynchronous()))
