"""Flows that call flows."""

import asyncio
import os

from harness.scenario import Notes, scenario
from prefect import flow, runtime, task
from prefect.states import Failed


@scenario("subflows")
def subflows(notes: Notes) -> None:
    @task(name="subflows.double")
    def double(number: int) -> int:
        return number * 2

    @flow(name="subflows.leaf")
    def leaf(number: int) -> list[object]:
        return [double(number), runtime.flow_run.parent_flow_run_id is not None]

    @flow(name="subflows.branch")
    def branch(number: int) -> object:
        return leaf(number + 1)

    @flow(name="subflows")
    def root() -> list[object]:
        future = double.submit(3)
        future.wait()
        return [leaf(1), branch(2), leaf(future)]

    notes.add("value", root())


@scenario("subflows-10-by-10", deadline_s=240)
def ten_by_ten(notes: Notes) -> None:
    # Prefect's own server does not bear all of them at once.
    turns = asyncio.Semaphore(int(os.environ.get("SUBFLOWS_AT_ONCE", "100")))

    @flow(name="subflows-10-by-10.leaf")
    async def leaf() -> int:
        return 1

    @flow(name="subflows-10-by-10.branch")
    async def branch() -> int:
        async def in_turn() -> int:
            async with turns:
                return await leaf()

        return sum(await asyncio.gather(*[in_turn() for _ in range(10)]))

    @flow(name="subflows-10-by-10")
    async def root() -> int:
        return sum(await asyncio.gather(*[branch() for _ in range(10)]))

    notes.add("sum", asyncio.run(root()))


@scenario("subflows-that-fail")
def failing(notes: Notes) -> None:
    @flow(name="subflows-that-fail.raises")
    def raises() -> None:
        raise ValueError("the child broke")

    @flow(name="subflows-that-fail.returns")
    def returns() -> object:
        return Failed(message="the child gave up")

    @flow(name="subflows-that-fail.parent")
    def parent() -> None:
        raises()

    @flow(name="subflows-that-fail.tolerant")
    def tolerant() -> list[str]:
        return [raises(return_state=True).name, returns(return_state=True).message]

    notes.state("parent", parent(return_state=True))
    notes.state("tolerant", tolerant(return_state=True))


@scenario("flow-retries-with-subflows")
def retries_with_subflows(notes: Notes) -> None:
    counts = {"child": 0, "parent": 0, "fragile": 0}

    @task(name="flow-retries-with-subflows.task")
    def work() -> int:
        counts["child"] += 1
        return counts["child"]

    @flow(name="flow-retries-with-subflows.child", persist_result=True)
    def child() -> int:
        return work()

    @flow(name="flow-retries-with-subflows.fragile", retries=1)
    def fragile() -> str:
        counts["fragile"] += 1
        if counts["fragile"] == 1:
            raise ValueError("fragile")
        return "held"

    @flow(name="flow-retries-with-subflows", retries=2)
    def parent() -> list[object]:
        counts["parent"] += 1
        seen = [child(), fragile()]
        if counts["parent"] < 3:
            raise ValueError(f"attempt {counts['parent']} of the parent")
        return seen

    notes.raised("value", parent)
    notes.add("counts", counts)


@scenario("flow-retries-of-a-failed-subflow")
def retries_of_a_failed_subflow(notes: Notes) -> None:
    calls: list[str] = []

    @flow(name="flow-retries-of-a-failed-subflow.child")
    def child() -> str:
        calls.append("child")
        if len(calls) < 3:
            raise ValueError("not yet")
        return "at last"

    @flow(name="flow-retries-of-a-failed-subflow", retries=1)
    def parent() -> str:
        calls.append("parent")
        return child()

    notes.raised("value", parent)
    notes.add("calls", calls)
