"""One flow, one task, and what a flow may be or return."""

import asyncio
import logging

from harness.scenario import Notes, scenario
from prefect import flow, get_run_logger, runtime, tags, task
from prefect.states import Cancelled, Completed, Failed


@scenario("hello-world")
def hello_world(notes: Notes) -> None:
    @task(name="hello-world.greet")
    def greet(name: str) -> str:
        return f"Hello, {name}!"

    @flow(name="hello-world")
    def hello(name: str = "world") -> str:
        return greet(name)

    notes.add("first", hello())
    notes.add("second", hello(name="moon"))


@scenario("hello-async")
def hello_async(notes: Notes) -> None:
    @task(name="hello-async.greet")
    async def greet(name: str) -> str:
        await asyncio.sleep(0.01)
        return f"Hello, {name}!"

    @flow(name="hello-async")
    async def hello(names: list[str]) -> list[str]:
        return list(await asyncio.gather(*[greet(name) for name in names]))

    notes.add("value", asyncio.run(hello(["sun", "moon", "stars"])))


@scenario("tasks-without-a-flow")
def tasks_without_a_flow(notes: Notes) -> None:
    @task(name="tasks-without-a-flow.double")
    def double(number: int) -> int:
        return number * 2

    @task(name="tasks-without-a-flow.fails", retries=1)
    def fails() -> None:
        raise ValueError("no good")

    notes.add("value", double(21))
    notes.raised("failure", fails)
    notes.raised("submitted", lambda: double.submit(4))


@scenario("states-returned")
def states_returned(notes: Notes) -> None:
    @task(name="states-returned.named")
    def named() -> object:
        return Completed(name="Polished", message="shines")

    @task(name="states-returned.refused")
    def refused() -> object:
        return Failed(message="refused by the task")

    @flow(name="states-returned.completed")
    def completed() -> object:
        return named(return_state=True)

    @flow(name="states-returned.failed")
    def failed() -> object:
        return refused(return_state=True)

    @flow(name="states-returned.some-failed")
    def some_failed() -> list[object]:
        return [named(return_state=True), refused(return_state=True), named(return_state=True)]

    @flow(name="states-returned.cancelled")
    def cancelled() -> object:
        return Cancelled(message="called off by the flow")

    @flow(name="states-returned.custom")
    def custom() -> object:
        return Completed(name="Half done", message="the rest comes tomorrow")

    @flow(name="states-returned.futures")
    def futures() -> object:
        return [named.submit(), refused.submit()]

    for each in (completed, failed, some_failed, cancelled, custom, futures):
        notes.state(each.name, each(return_state=True))


@scenario("states-raised")
def states_raised(notes: Notes) -> None:
    @task(name="states-raised.task")
    def breaks() -> None:
        raise RuntimeError("the task broke")

    @flow(name="states-raised.by-task")
    def by_task() -> None:
        breaks()

    @flow(name="states-raised.by-flow")
    def by_flow() -> None:
        raise ValueError("the flow broke\nwith a second line")

    @flow(name="states-raised.swallowed")
    def swallowed() -> str:
        state = breaks(return_state=True)
        return f"went on after {state.name}"

    @flow(name="states-raised.crash")
    def crash() -> None:
        raise KeyboardInterrupt("stop")

    for each in (by_task, by_flow, swallowed):
        notes.raised(each.name, each)
    try:
        crash()
    except BaseException as error:
        notes.add("crash", type(error).__name__)


@scenario("parameters")
def parameters(notes: Notes) -> None:
    from datetime import date
    from uuid import UUID

    from pydantic import BaseModel

    class Order(BaseModel):
        """What somebody wants."""

        item: str
        pieces: int = 1

    @flow(name="parameters.typed", flow_run_name="order of {number} on {day}")
    def typed(number: int, day: date, order: Order, tag: UUID | None = None) -> str:
        """Takes typed values.

        Args:
            number: How many.
        """
        return f"{number + 1} {day.isoformat()} {order.item} {order.pieces}"

    @flow(name="parameters.unchecked", validate_parameters=False)
    def unchecked(number: int) -> str:
        return repr(number)

    notes.add("coerced", typed("41", "2030-01-02", {"item": "tea"}))  # type: ignore[arg-type]
    notes.raised("refused", lambda: typed("many", "2030-01-02", {"item": "tea"}))  # type: ignore[arg-type]
    notes.add("unchecked", unchecked("many"))  # type: ignore[arg-type]
    notes.add("unicode", unchecked({"é": ["☃", None, 1.5, True]}))  # type: ignore[arg-type]


@scenario("names")
def names(notes: Notes) -> None:
    @task(name="names.step", task_run_name="step {number} of the way")
    def step(number: int) -> str:
        return runtime.task_run.name

    @flow(name="names", flow_run_name="walk to {place}", version="seven", description="Walks.")
    def walk(place: str) -> list[str]:
        return [runtime.flow_run.name, step(1), step(2)]

    notes.add("seen", walk("town 9"))


@scenario("tags")
def tagging(notes: Notes) -> None:
    @task(name="tags.plain")
    def plain() -> list[str]:
        return sorted(runtime.task_run.tags)

    @task(name="tags.tagged", tags={"blue", "heavy"})
    def tagged() -> list[str]:
        return sorted(runtime.task_run.tags)

    @flow(name="tags.child")
    def child() -> list[str]:
        return sorted(runtime.flow_run.tags)

    @flow(name="tags")
    def parent() -> object:
        with tags("inner"):
            inner = [plain(), tagged(), child()]
        return [sorted(runtime.flow_run.tags), inner, plain()]

    with tags("outer", "ünïcode"):
        notes.add("seen", parent())


@scenario("logs")
def logs(notes: Notes) -> None:
    @task(name="logs.task", log_prints=True)
    def speak(word: str) -> None:
        print("printed by the task:", word)
        get_run_logger().warning("the task warns of %s", word)

    @flow(name="logs", log_prints=True)
    def talk() -> None:
        logger = get_run_logger()
        logger.debug("not kept at the level INFO")
        logger.info("an information with ünïcode ☃ and \t a tab")
        logger.warning("a warning")
        logger.error("an error of %d parts", 3)
        logger.critical("critical")
        print("printed", "by the flow")
        try:
            raise LookupError("nothing found")
        except LookupError:
            logger.exception("caught")
        logger.log(logging.INFO, "x" * 5000)
        speak("rain")
        for _ in range(300):
            logger.info("one of many")

    talk()


@scenario("generators")
def generators(notes: Notes) -> None:
    @task(name="generators.count")
    def count(end: int):  # noqa: ANN201
        yield from range(end)

    @flow(name="generators")
    def numbers():  # noqa: ANN202
        for number in count(3):
            yield number * 10

    notes.add("values", list(numbers()))


@scenario("flow-timeout")
def flow_timeout(notes: Notes) -> None:
    @flow(name="flow-timeout.async", timeout_seconds=0.3)
    async def sleeps() -> None:
        await asyncio.sleep(20)

    @flow(name="flow-timeout.in-time", timeout_seconds=20)
    def in_time() -> str:
        return "in time"

    notes.state("async", asyncio.run(sleeps(return_state=True)))
    notes.state("in time", in_time(return_state=True))


@scenario("flow-retries")
def flow_retries(notes: Notes) -> None:
    seen: list[int] = []

    @task(name="flow-retries.count")
    def count() -> int:
        return runtime.flow_run.run_count

    @flow(name="flow-retries.succeeds", retries=3, retry_delay_seconds=0)
    def succeeds() -> int:
        seen.append(count())
        if len(seen) < 3:
            raise ValueError(f"attempt {len(seen)}")
        return len(seen)

    @flow(name="flow-retries.delayed", retries=1, retry_delay_seconds=1)
    def delayed() -> None:
        raise ValueError("always")

    @flow(name="flow-retries.none")
    def none() -> None:
        raise ValueError("once")

    notes.state("succeeds", succeeds(return_state=True))
    notes.state("delayed", delayed(return_state=True))
    notes.state("none", none(return_state=True))
    notes.add("run counts", seen)
