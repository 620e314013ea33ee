"""Runs that wait for a person or for another run."""

import asyncio
import threading

from harness.api import Api
from harness.scenario import Notes, scenario
from harness.waiting import until
from prefect import flow, pause_flow_run, task
from prefect.exceptions import FlowPauseTimeout
from prefect.flow_runs import resume_flow_run
from prefect.input import RunInput
from prefect.runtime import flow_run


class Approval(RunInput):
    """What the person says."""

    approved: bool
    reason: str = "none"
    pieces: int | None = None


def paused_run(name: str) -> str:
    """The id of the only paused run of a flow, once there is one."""
    body = {"flows": {"name": {"any_": [name]}}, "flow_runs": {"state": {"type": {"any_": ["PAUSED"]}}}}
    api = Api()

    def paused() -> str | None:
        # A list may be a moment behind; the run itself is not.
        found = [run["id"] for run in api.call("POST", "/flow_runs/filter", body)]
        return found[0] if found and api.get(f"/flow_runs/{found[0]}")["state_type"] == "PAUSED" else None

    return until(f"a run of {name} is paused", paused)


def stored_inputs(api: Api, run: str) -> dict[str, str]:
    found = api.call("POST", f"/flow_runs/{run}/input/filter", {"prefix": "paused-"})
    return {item["key"].split("-")[-1]: item["value"] for item in found}


def beside(work) -> threading.Thread:  # noqa: ANN001
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


@scenario("pause")
def pause(notes: Notes) -> None:
    @task(name="pause.step", task_run_name="step {name}")
    def step(name: str) -> str:
        return name

    @flow(name="pause")
    def pauses() -> list[str]:
        before = step("before")
        pause_flow_run(timeout=100, poll_interval=1)
        return [before, step("after")]

    helper = beside(lambda: resume_flow_run(paused_run("pause")))
    notes.add("value", pauses())
    helper.join()


@scenario("pause-with-input")
def pause_with_input(notes: Notes) -> None:
    @flow(name="pause-with-input.typed")
    def typed() -> list[object]:
        said = pause_flow_run(wait_for_input=Approval.with_initial_data(description="Please **say**", reason="first"),
                              timeout=100, poll_interval=1)
        return [type(said).__name__, said.approved, said.reason, said.pieces]

    @flow(name="pause-with-input.plain")
    async def plain() -> int:
        return await pause_flow_run(wait_for_input=int, timeout=100, poll_interval=1)

    def answer() -> None:
        run = paused_run("pause-with-input.typed")
        api = Api()
        # They are stored after the run is paused.
        stored = until("the schema is stored", lambda: stored_inputs(api, run))
        notes.add("stored input", stored)
        refused = api.call("POST", f"/flow_runs/{run}/resume", {"run_input": {"reason": 3}})
        notes.add("refused", [refused["status"], refused["details"]["reason"]])
        resume_flow_run(run, run_input={"approved": True, "reason": "fine", "pieces": 4})

    helper = beside(answer)
    notes.add("typed", typed())
    helper.join()
    helper = beside(lambda: resume_flow_run(paused_run("pause-with-input.plain"), run_input={"value": 12}))
    notes.add("plain", asyncio.run(plain()))
    helper.join()


@scenario("pause-without-answer")
def pause_without_answer(notes: Notes) -> None:
    @flow(name="pause-without-answer")
    def waits() -> None:
        try:
            pause_flow_run(timeout=3, poll_interval=5)
        except FlowPauseTimeout:
            # Client and server notice at one time that nobody came; here the server does first.
            until("the server says so", lambda: Api().get(f"/flow_runs/{flow_run.id}")["state_type"] == "FAILED")
            raise

    notes.raised("timeout", waits)
    body = {"flows": {"name": {"any_": ["pause-without-answer"]}}}
    until("the run has ended", lambda: Api().call("POST", "/flow_runs/filter", body)[0]["state_type"] == "FAILED")


@scenario("pause-twice")
def pause_twice(notes: Notes) -> None:
    @flow(name="pause-twice")
    def pauses() -> str:
        for key in ("one", "two", "one"):
            pause_flow_run(timeout=100, poll_interval=1, key=key)
        return "a key is asked once"

    def answer() -> None:
        for _ in range(2):
            run = paused_run("pause-twice")
            resume_flow_run(run)
            until("the run goes on", lambda: Api().get(f"/flow_runs/{run}")["state_type"] != "PAUSED")

    helper = beside(answer)
    notes.add("value", pauses())
    helper.join()


@scenario("inputs")
def inputs(notes: Notes) -> None:
    """One run sends, another receives and answers."""
    from prefect import runtime

    @flow(name="inputs.receiver")
    async def receiver() -> list[object]:
        seen = []
        async for item in Approval.receive(timeout=30, poll_interval=0.2):
            seen.append([item.approved, item.reason])
            await item.respond("thanks")
            if len(seen) == 2:
                return seen
        return seen

    @flow(name="inputs.sender")
    async def sender(to: str) -> list[str]:
        answers = []
        for reason in ("first", "second"):
            await Approval(approved=True, reason=reason).send_to(to)
            async for text in receive():
                answers.append(text)
                break
        return answers

    def receive():  # noqa: ANN202
        from prefect.input import receive_input

        return receive_input(str, timeout=30, poll_interval=0.2)

    async def both() -> list[object]:
        receiving = asyncio.create_task(receiver())
        body = {"flows": {"name": {"any_": ["inputs.receiver"]}}, "flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}}}
        found = await asyncio.to_thread(until, "it listens", lambda: Api().call("POST", "/flow_runs/filter", body))
        sent = await sender(found[0]["id"])
        return [await receiving, sent]

    notes.add("heard", asyncio.run(both()))
