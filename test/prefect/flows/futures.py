"""Tasks at once: submit, map, wait, and what depends on what."""

import asyncio
import time

from harness.scenario import Notes, scenario
from prefect import allow_failure, flow, task, unmapped
from prefect.futures import as_completed, wait
from prefect.task_runners import ThreadPoolTaskRunner


@scenario("submit")
def submit(notes: Notes) -> None:
    @task(name="submit.extract")
    def extract() -> int:
        return 3

    @task(name="submit.transform", task_run_name="transform by {factor}")
    def transform(number: int, factor: int) -> int:
        return number * factor

    @task(name="submit.load")
    def load(numbers: list[int]) -> int:
        return sum(numbers)

    @task(name="submit.cleanup")
    def cleanup() -> str:
        return "clean"

    @flow(name="submit", task_runner=ThreadPoolTaskRunner(max_workers=4))
    def etl() -> list[object]:
        source = extract.submit()
        parts = [transform.submit(source, factor) for factor in (2, 3, 4)]
        total = load.submit(parts)
        return [total.result(), cleanup.submit(wait_for=[total]).result()]

    notes.add("value", etl())


@scenario("map")
def mapping(notes: Notes) -> None:
    @task(name="map.square", task_run_name="square of {number}")
    def square(number: int) -> int:
        return number * number

    @task(name="map.add", task_run_name="add {one} and {other}")
    def add(one: int, other: int) -> int:
        return one + other

    @task(name="map.total")
    def total(numbers: list[int]) -> int:
        return sum(numbers)

    @flow(name="map", task_runner=ThreadPoolTaskRunner(max_workers=8))
    def maps() -> object:
        squares = square.map(range(6))
        sums = add.map(squares, unmapped(1000))
        return [total(sums), sums.result()[:3], square.map([]).result()]

    notes.add("value", maps())


@scenario("upstream-failed", ends=False)
def upstream_failed(notes: Notes) -> None:
    @task(name="upstream-failed.fails")
    def fails() -> int:
        raise ValueError("broken upstream")

    @task(name="upstream-failed.needs-it")
    def needs_it(number: int) -> int:
        return number

    @task(name="upstream-failed.follows")
    def follows() -> str:
        return "followed"

    @task(name="upstream-failed.tolerates")
    def tolerates(value: object) -> str:
        return f"tolerated {type(value).__name__}"

    @flow(name="upstream-failed")
    def graph() -> list[str]:
        broken = fails.submit()
        futures = [
            needs_it.submit(broken),
            follows.submit(wait_for=[broken]),
            tolerates.submit(allow_failure(broken)),
            follows.submit(wait_for=[allow_failure(broken)]),
        ]
        wait(futures)
        return [future.state.name for future in futures]

    notes.add("names", graph())


@scenario("wait")
def waiting(notes: Notes) -> None:
    @task(name="wait.sleep", task_run_name="sleep {name}")
    def sleep(name: str, seconds: float) -> str:
        time.sleep(seconds)
        return name

    @flow(name="wait")
    def waits() -> list[object]:
        futures = [sleep.submit("long", 1.0), sleep.submit("short", 0.01)]
        first = next(iter(as_completed(futures))).result()
        done, not_done = wait([sleep.submit("never in time", 0.8), sleep.submit("in time", 0.01)], timeout=0.4)
        return [first, len(done), len(not_done)]

    notes.add("seen", waits())


@scenario("nested-tasks")
def nested_tasks(notes: Notes) -> None:
    @task(name="nested-tasks.inner", task_run_name="inner {number}")
    def inner(number: int) -> int:
        return number + 1

    @task(name="nested-tasks.outer")
    def outer(number: int) -> int:
        return inner(number) + inner.submit(number * 2).result()

    @flow(name="nested-tasks.child")
    def child() -> int:
        return outer(10)

    @task(name="nested-tasks.calls-a-flow")
    def calls_a_flow() -> int:
        return child()

    @flow(name="nested-tasks")
    def nested() -> list[int]:
        return [outer(1), calls_a_flow()]

    notes.add("value", nested())


@scenario("many-tasks", deadline_s=180, not_quick="200 tasks take 10 s")
def many_tasks(notes: Notes) -> None:
    @task(name="many-tasks.tick")
    async def tick(number: int) -> int:
        return number

    @flow(name="many-tasks")
    async def many() -> int:
        return sum(await asyncio.gather(*[tick(number) for number in range(200)]))

    notes.add("sum", asyncio.run(many()))
