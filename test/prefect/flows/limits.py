"""What may not happen at once, or not too often: named limits, limits of tags, limits of deployments."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from flows.deployments import deploy, run_of
from harness.scenario import Notes, scenario
from harness.waiting import until
from prefect import flow, get_client, task
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.client.schemas.objects import FlowRun
from prefect.concurrency.asyncio import concurrency as aconcurrency
from prefect.concurrency.sync import concurrency, rate_limit
from prefect.states import Completed, Pending, Running, State
from prefect.task_runners import ThreadPoolTaskRunner


class Crowd:
    """How many were inside at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self.most = 0

    @contextmanager
    def enter(self) -> Iterator[None]:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        try:
            time.sleep(0.3)
            yield
        finally:
            with self._lock:
                self._inside -= 1


def create_limit(name: str, limit: int, **more: object) -> None:
    get_client(sync_client=True).create_global_concurrency_limit(
        GlobalConcurrencyLimitCreate(name=name, limit=limit, **more)
    )


def read_limit(name: str) -> list[object]:
    found = get_client(sync_client=True).read_global_concurrency_limit_by_name(name)
    return [found.limit, found.active, found.active_slots, found.slot_decay_per_second]


def slots_are_free(name: str) -> bool:
    """A slot is given back by a thread of the client."""
    return until(f"all slots of {name} are free", lambda: read_limit(name)[2] == 0)


@scenario("concurrency")
def limited(notes: Notes) -> None:
    create_limit("concurrency-two", 2)
    create_limit("concurrency-one", 1)
    create_limit("concurrency-off", 1, active=False)
    crowd = Crowd()

    @task(name="concurrency.task", task_run_name="task {number}")
    def work(number: int) -> int:
        with concurrency("concurrency-two"), crowd.enter():
            return number

    @flow(name="concurrency", task_runner=ThreadPoolTaskRunner(max_workers=5))
    def crowds() -> list[int]:
        return work.map(range(5)).result()

    notes.add("values", crowds())
    notes.add("most at once", crowd.most)
    with concurrency("concurrency-two", occupy=2):
        notes.add("held", read_limit("concurrency-two"))

    def waits_in_vain() -> None:
        with concurrency("concurrency-one"), concurrency(["concurrency-two", "concurrency-one"], timeout_seconds=0.5):
            pass

    def asks_too_much() -> None:
        with concurrency("concurrency-one", occupy=2):
            pass

    def is_strict(name: str) -> str:
        with concurrency(name, strict=True):
            return "inside"

    notes.raised("taken", waits_in_vain)
    notes.raised("too many", asks_too_much)
    notes.raised("unknown", lambda: is_strict("concurrency-nowhere"))
    notes.raised("switched off", lambda: is_strict("concurrency-off"))
    with concurrency("concurrency-nowhere"):
        notes.add("unknown, but not strict", "inside")

    async def asynchronously() -> str:
        async with aconcurrency(["concurrency-one", "concurrency-two"], timeout_seconds=30):
            return "inside"

    notes.add("async", asyncio.run(asynchronously()))
    notes.add("free at the end", [slots_are_free("concurrency-one"), slots_are_free("concurrency-two")])


@scenario("concurrency-that-fails")
def limited_and_broken(notes: Notes) -> None:
    """Who leaves by an exception gives the slot back, too."""
    create_limit("concurrency-that-fails", 1)

    @task(name="concurrency-that-fails.task", retries=1)
    def breaks() -> None:
        with concurrency("concurrency-that-fails"):
            raise ValueError("broken inside")

    @flow(name="concurrency-that-fails")
    def twice() -> str:
        breaks(return_state=True)
        with concurrency("concurrency-that-fails", timeout_seconds=30):
            return "the slot is free"

    notes.add("value", twice())
    notes.add("free at the end", slots_are_free("concurrency-that-fails"))


@scenario("rate-limit")
def rates(notes: Notes) -> None:
    create_limit("rate-limit-fast", 2, slot_decay_per_second=4.0)
    create_limit("rate-limit-none", 1)

    @flow(name="rate-limit")
    def slowly() -> bool:
        started_at = time.monotonic()
        for _ in range(6):
            rate_limit("rate-limit-fast")
        # Two go at once, the others as slots come back.
        return time.monotonic() - started_at > 0.7

    notes.add("waited", slowly())
    notes.raised("without decay", lambda: rate_limit("rate-limit-none"))
    notes.raised("unknown", lambda: rate_limit("rate-limit-nowhere", strict=True))
    notes.raised("in vain", lambda: [rate_limit("rate-limit-fast", occupy=2, timeout_seconds=0.2) for _ in range(20)])


@scenario("tag-limits")
def tag_limits(notes: Notes) -> None:
    client = get_client(sync_client=True)
    client.create_concurrency_limit(tag="tag-limits-heavy", concurrency_limit=1)
    crowds = {"heavy": Crowd(), "light": Crowd()}

    @task(name="tag-limits.heavy", tags=["tag-limits-heavy"])
    def heavy() -> None:
        with crowds["heavy"].enter():
            pass

    @task(name="tag-limits.light", tags=["tag-limits-light"])
    def light() -> None:
        with crowds["light"].enter():
            time.sleep(0.5)

    @flow(name="tag-limits", task_runner=ThreadPoolTaskRunner(max_workers=6))
    def both() -> None:
        futures = [each.submit() for each in (heavy, heavy, heavy, light, light, light)]
        for future in futures:
            future.result()

    both()
    notes.add("heavy ones at once", crowds["heavy"].most)
    notes.add("some light ones at once", crowds["light"].most > 1)
    found = until("the slot is free", lambda: _without_slots(client.read_concurrency_limit_by_tag("tag-limits-heavy")))
    notes.add("limit", [found.tag, found.concurrency_limit, found.active_slots])
    client.delete_concurrency_limit_by_tag("tag-limits-heavy")
    notes.raised("deleted", lambda: client.read_concurrency_limit_by_tag("tag-limits-heavy"))


def _without_slots(limit):  # noqa: ANN001, ANN202
    return limit if not limit.active_slots else None


@scenario("deployment-limits")
def deployment_limits(notes: Notes) -> None:
    """As a worker does it: the slot is taken with Pending and given back with the end of the run."""

    @flow(name="deployment-limits.enqueue")
    def enqueued() -> None:
        raise AssertionError("only its states are proposed")

    @flow(name="deployment-limits.cancel-new")
    def cancelled() -> None:
        raise AssertionError("only its states are proposed")

    client = get_client(sync_client=True)

    def propose(run: FlowRun, state: State) -> list[object]:
        answer = client.set_flow_run_state(run.id, state)
        return [answer.status.value, answer.state and answer.state.name, getattr(answer.details, "reason", None)]

    for each, strategy in [(enqueued, "ENQUEUE"), (cancelled, "CANCEL_NEW")]:
        options = {"collision_strategy": strategy}
        deployment = deploy(each, "executed", concurrency_limit=1, concurrency_options=options)
        first, second = run_of(deployment), run_of(deployment)
        for key, run, state in [
            ("first takes the slot", first, Pending()), ("first runs", first, Running()),
            ("second is too many", second, Pending()), ("first ends", first, Completed()),
            ("second tries again", second, Pending()), ("second ends", second, Completed()),
        ]:
            notes.add(f"{each.name}: {key}", propose(run, state))
        found = client.read_deployment(deployment)
        held = found.global_concurrency_limit
        notes.add(f"{each.name}: limit", held and [held.limit, held.active, held.active_slots])


@scenario("commands-for-limits", deadline_s=180, not_quick="commands has those of runs")
def commands_for_limits(notes: Notes) -> None:
    from flows.commands import note_answers

    name, tag = "commands-for-limits", "commands-for-limits-tag"
    note_answers(notes, [
        ["gcl", "create", name, "--limit", "2"],
        ["gcl", "create", name, "--limit", "2"],
        ["gcl", "update", name, "--limit", "3", "--slot-decay-per-second", "0.5"],
        ["gcl", "disable", name],
        ["gcl", "disable", name],
        ["gcl", "inspect", name, "-o", "json"],
        ["gcl", "enable", name],
        ["gcl", "delete", name],
        ["gcl", "inspect", name],
        ["concurrency-limit", "create", tag, "2"],
        ["concurrency-limit", "inspect", tag, "-o", "json"],
        ["concurrency-limit", "reset", tag],
        ["concurrency-limit", "delete", tag],
        ["concurrency-limit", "inspect", tag],
    ])
