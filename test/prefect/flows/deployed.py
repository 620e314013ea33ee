"""Flows and tasks that other processes load by their names: workers, runners, task workers."""

import os
import time

from prefect import flow, get_run_logger, runtime, suspend_flow_run, task
from prefect.cache_policies import NO_CACHE
from prefect.variables import Variable


def remember(word: str):  # noqa: ANN201
    """A hook that leaves a trace where another process finds it."""

    def hook(flow, flow_run, state) -> None:  # noqa: ANN001
        name = flow.name.replace(".", "_").replace("-", "_")
        Variable.set(f"{name}_{word}", f"{state.type.value} {state.name}", overwrite=True)

    hook.__name__ = f"remember_{word}"
    return hook


@task(name="execute.task")
def double(number: int) -> int:
    return number * 2


@flow(name="execute", log_prints=True)
def executed(number: int = 1) -> int:
    print("run number", runtime.flow_run.run_count)
    return double(number)


@flow(name="execute-that-dies", on_crashed=[remember("crashed")])
def dies() -> None:
    get_run_logger().warning("about to die")
    time.sleep(1)
    os._exit(3)


@flow(name="execute-that-fails", on_failure=[remember("failure")])
def fails() -> None:
    raise ValueError("the deployed flow broke")


@task(name="cancel-nested.sleep", cache_policy=NO_CACHE)
def sleep_long() -> None:
    for _ in range(600):
        time.sleep(0.1)


@flow(name="cancel-nested.grandchild", on_cancellation=[remember("cancellation")])
def grandchild() -> None:
    Variable.set("cancel_nested_started", True, overwrite=True)
    sleep_long()


@flow(name="cancel-nested.child", on_cancellation=[remember("cancellation")])
def child() -> None:
    grandchild()


@flow(name="cancel-nested", on_cancellation=[remember("cancellation")], on_crashed=[remember("crashed")])
def nested() -> None:
    child()


@task(name="suspend.step", task_run_name="step {name}", persist_result=True)
def step(name: str) -> str:
    return name


@flow(name="suspend", persist_result=True)
def suspends() -> list[str]:
    before = step("before")
    suspend_flow_run(timeout=600, key="once")
    return [before, step("after")]


@flow(name="run-deployment.worker", log_prints=True)
def worked(word: str = "default") -> str:
    print("says", word)
    return word


@task(name="deploy-with-a-file.step", task_run_name="step {name}", persist_result=True)
def named_step(name: str) -> str:
    return name


@flow(name="deploy-with-a-file", persist_result=True)
def waits_for_a_word(word: str = "of the flow", number: int = 1) -> list[object]:
    before = named_step(f"before {word}")
    suspend_flow_run(timeout=600, key="once")
    return [before, named_step("after"), number]


@flow(name="served.flow")
def served(word: str = "default") -> str:
    return word


@task(name="background-tasks.add", persist_result=True)
def add(one: int, other: int) -> int:
    return one + other


@task(name="background-tasks.fails", retries=1, retry_delay_seconds=0, persist_result=True)
def background_failure() -> None:
    raise ValueError("no good in the background")
