"""What a task may be told: retries, conditions, timeouts, caches, results."""

import time
from datetime import timedelta

from harness.scenario import Notes, scenario
from prefect import flow, task
from prefect.cache_policies import INPUTS, NO_CACHE, RUN_ID, TASK_SOURCE
from prefect.tasks import exponential_backoff


@scenario("task-retries")
def task_retries(notes: Notes) -> None:
    attempts: dict[str, int] = {}

    def fails_until(name: str, last: int) -> int:
        attempts[name] = attempts.get(name, 0) + 1
        if attempts[name] < last:
            raise ValueError(f"{name}: attempt {attempts[name]}")
        return attempts[name]

    @task(name="task-retries.at-once", retries=2)
    def at_once() -> int:
        return fails_until("at once", 3)

    @task(name="task-retries.delayed", retries=1, retry_delay_seconds=1)
    def delayed() -> int:
        return fails_until("delayed", 2)

    @task(name="task-retries.list", retries=3, retry_delay_seconds=[0, 1, 0])
    def of_a_list() -> int:
        return fails_until("list", 4)

    @task(name="task-retries.backoff", retries=2, retry_delay_seconds=exponential_backoff(0.5))
    def backoff() -> int:
        return fails_until("backoff", 3)

    @task(name="task-retries.jitter", retries=1, retry_delay_seconds=0.9, retry_jitter_factor=0.5)
    def jitter() -> int:
        return fails_until("jitter", 2)

    @task(name="task-retries.in-vain", retries=1)
    def in_vain() -> int:
        return fails_until("in vain", 9)

    @flow(name="task-retries")
    def retries() -> list[str]:
        futures = [each.submit() for each in (at_once, delayed, of_a_list, backoff, jitter, in_vain)]
        for future in futures:
            future.wait()
        return [future.state.name for future in futures]

    notes.add("names", retries())
    notes.add("attempts", attempts)


@scenario("task-retry-conditions")
def task_retry_conditions(notes: Notes) -> None:
    asked: list[str] = []

    def only_lookups(task, task_run, state) -> bool:  # noqa: ANN001
        asked.append(state.name)
        try:
            state.result()
        except LookupError:
            return True
        except Exception:
            return False
        return False

    @task(name="task-retry-conditions.yes", retries=1, retry_condition_fn=only_lookups)
    def yes() -> None:
        raise LookupError("try again")

    @task(name="task-retry-conditions.no", retries=3, retry_condition_fn=only_lookups)
    def no() -> None:
        raise ValueError("do not try again")

    @flow(name="task-retry-conditions")
    def conditions() -> list[str]:
        return [yes(return_state=True).name, no(return_state=True).name]

    notes.add("names", conditions())
    notes.add("asked", asked)


@scenario("task-timeout")
def task_timeout(notes: Notes) -> None:
    @task(name="task-timeout.slow", timeout_seconds=0.3)
    def slow() -> None:
        for _ in range(200):
            time.sleep(0.05)

    @task(name="task-timeout.retried", timeout_seconds=0.2, retries=1)
    def retried() -> None:
        for _ in range(200):
            time.sleep(0.05)

    @task(name="task-timeout.fast", timeout_seconds=20)
    def fast() -> str:
        return "fast"

    @flow(name="task-timeout")
    def timeouts() -> list[str]:
        return [each(return_state=True).name for each in (slow, retried, fast)]

    notes.add("names", timeouts())


@scenario("caching")
def caching(notes: Notes) -> None:
    called: list[str] = []

    @task(name="caching.inputs", cache_policy=INPUTS, task_run_name="inputs {key}")
    def inputs(key: str) -> str:
        called.append(f"inputs {key}")
        return key.upper()

    @task(name="caching.without", cache_policy=INPUTS - "noise", task_run_name="without {key}")
    def without(key: str, noise: int) -> str:
        called.append(f"without {key}")
        return key

    @task(name="caching.run", cache_policy=RUN_ID + INPUTS, task_run_name="run {key}")
    def in_this_run(key: str) -> str:
        called.append(f"run {key}")
        return key

    @task(name="caching.source", cache_policy=TASK_SOURCE)
    def source() -> str:
        called.append("source")
        return "source"

    @task(name="caching.none", cache_policy=NO_CACHE)
    def none() -> str:
        called.append("none")
        return "none"

    @task(name="caching.function", cache_key_fn=lambda context, parameters: f"caching-{parameters['key'][0]}",
          task_run_name="function {key}")
    def by_function(key: str) -> str:
        called.append(f"function {key}")
        return key

    @task(name="caching.refreshed", cache_policy=INPUTS, refresh_cache=True, persist_result=True)
    def refreshed() -> str:
        called.append("refreshed")
        return "refreshed"

    @task(name="caching.expiring", cache_policy=INPUTS, cache_expiration=timedelta(seconds=0.4))
    def expiring() -> str:
        called.append("expiring")
        return "expiring"

    @flow(name="caching")
    def caches(round: int) -> list[str]:
        expiring()
        time.sleep(0.6)
        return [
            inputs("a"), inputs("a"), inputs("b"),
            without("c", 1), without("c", 2),
            in_this_run("d"), in_this_run("d"),
            source(), source(), none(), none(),
            by_function("ef"), by_function("eg"),
            refreshed(), refreshed(), expiring(),
        ]

    notes.add("first", caches(1))
    notes.add("second", caches(2))
    notes.add("called", called)


@scenario("results")
def results(notes: Notes) -> None:
    from prefect.client.orchestration import get_client
    from prefect.results import ResultStore

    @task(name="results.kept", persist_result=True, result_storage_key="results-{parameters[key]}.json",
          result_serializer="json", task_run_name="kept {key}")
    def kept(key: str) -> dict[str, str]:
        return {"key": key}

    @task(name="results.compressed", persist_result=True, result_serializer="compressed/json")
    def compressed() -> list[int]:
        return list(range(100))

    @task(name="results.lost", persist_result=False)
    def lost() -> str:
        return "lost"

    @flow(name="results.persisted", persist_result=True)
    def persisted() -> object:
        return [kept("one"), kept("two"), compressed()[:3], lost()]

    @flow(name="results.forgotten", persist_result=False)
    def forgotten() -> str:
        return lost()

    @flow(name="results.forgetful", cache_result_in_memory=False, persist_result=True)
    def forgetful() -> str:
        return "read from storage"

    states = {each.name: each(return_state=True) for each in (persisted, forgotten, forgetful)}
    client = get_client(sync_client=True)
    for name, state in states.items():
        notes.raised(f"{name} here", lambda state=state: state.result())
        # Somebody else who asks the server has the metadata of the result only.
        run = client.read_flow_run(state.state_details.flow_run_id)
        notes.raised(f"{name} elsewhere", lambda run=run: run.state.result())
    record = ResultStore().read("results-one.json")
    notes.add("record", record.result)


@scenario("transactions")
def transactions(notes: Notes) -> None:
    from prefect.transactions import CommitMode, get_transaction, transaction

    done: list[str] = []

    @task(name="transactions.write")
    def write(name: str) -> str:
        get_transaction().set("name", name)
        return name

    @write.on_rollback
    def unwrite(txn) -> None:  # noqa: ANN001
        done.append(f"rolled back {txn.get('name')}")

    @write.on_commit
    def committed(txn) -> None:  # noqa: ANN001
        done.append(f"committed {txn.get('name')}")

    @task(name="transactions.check")
    def check(good: bool) -> None:
        if not good:
            raise ValueError("the check failed")

    @flow(name="transactions")
    def pipeline(good: bool) -> None:
        with transaction(commit_mode=CommitMode.LAZY) as txn:
            txn.set("outer", 1)
            write("first")
            write("second")
            check(good)

    @flow(name="transactions.keyed")
    def keyed() -> list[object]:
        from prefect.results import get_result_store

        seen: list[object] = []
        for _ in range(2):
            with transaction(key="transactions-keyed", store=get_result_store()) as txn:
                seen.append(txn.is_committed())
                if not txn.is_committed():
                    txn.stage("value")
        return seen

    notes.state("good", pipeline(True, return_state=True))
    notes.state("bad", pipeline(False, return_state=True))
    notes.add("keyed", keyed())
    notes.add("hooks", done)


@scenario("hooks")
def hooks(notes: Notes) -> None:
    heard: list[str] = []

    def hear(word: str):  # noqa: ANN202
        def hook(thing, run, state) -> None:  # noqa: ANN001
            heard.append(f"{thing.name}: {word} {state.type.value} {state.name}")

        hook.__name__ = f"hear_{word}"
        return hook

    def breaks(flow, run, state) -> None:  # noqa: ANN001
        raise RuntimeError("a hook that breaks changes nothing")

    on = {f"on_{word}": [hear(word)] for word in ("running", "completion", "failure")}

    @task(name="hooks.task", task_run_name="task {good}", **on)
    def work(good: bool) -> None:
        if not good:
            raise ValueError("no good")

    @task(name="hooks.retried", retries=1, **on)
    def retried() -> None:
        raise ValueError("twice")

    @flow(name="hooks.good", on_crashed=[hear("crashed")], **{**on, "on_completion": [breaks, hear("completion")]})
    def good() -> None:
        work(True)

    @flow(name="hooks.bad", retries=1, on_crashed=[hear("crashed")], **on)
    def bad() -> None:
        retried(return_state=True)
        work(False)

    @flow(name="hooks.crash", on_crashed=[hear("crashed")], **on)
    def crash() -> None:
        raise KeyboardInterrupt

    @flow(name="hooks.cancelled", on_cancellation=[hear("cancellation")], **on)
    def cancelled() -> object:
        from prefect.states import Cancelled

        return Cancelled(message="by itself")

    good(return_state=True)
    bad(return_state=True)
    try:
        crash()
    except BaseException as error:
        notes.add("crash", type(error).__name__)
    cancelled(return_state=True)
    notes.add("heard", heard)
