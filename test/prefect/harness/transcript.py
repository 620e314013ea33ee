"""What a server knows of a scenario, as a tree of flow runs without ids and times, in an order of its own."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from datetime import datetime
from itertools import groupby
from typing import Any

from harness.api import Api
from harness.normal import Normaliser
from harness.scenario import Notes, Scenario

GENERATED_NAME = re.compile(r"^[a-z]+-[a-z]+$")
TASK_KEY_SUFFIX = re.compile(r"-[0-9a-f]{3}$|-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
CALL_NUMBER = re.compile(r"-\d+$")
TERMINAL = {"COMPLETED", "FAILED", "CANCELLED", "CRASHED"}
LEVELS = {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "CRITICAL"}
USER_LOGGERS = ("prefect.flow_runs", "prefect.task_runs")
#: Of `empirical_policy`; what else stands in it is old names of the same numbers.
POLICY = ("retries", "retry_delay", "retry_jitter_factor", "retry_type", "resuming")

#: Of `task_inputs`: the task that this one is called from.
PARENTS = "__parents__"

FLAGS = ("pause_reschedule", "untrackable_result", "deferred")
PRESENT = (
    "cache_key",
    "pause_key",
    "pause_timeout",
    "child_flow_run_id",
    "task_parameters_id",
    "run_input_keyset",
)

#: What a run or a task run says unless there is something to say; it is left out.
USUAL: dict[str, Any] = {
    "name": "<generated>",
    "parameters": {},
    "tags": [],
    "run_count": 1,
    "flow_run_run_count": 1,
    "inputs": {},
    "policy": {},
    "times": "all",
    "auto_scheduled": False,
    "created_by": None,
    "of_deployment": False,
    "work_pool": None,
    "work_queue": None,
    "logs": [],
    "artifacts": [],
    "task_runs": [],
    "subflows": [],
}

Document = dict[str, Any]
#: A flow run, and a task run of it or none.
Owner = tuple[str | None, str | None]


class Transcriber:
    """Reads one scenario. Nothing is kept between two readings."""

    def __init__(self, api: Api, scenario: Scenario, notes: Notes) -> None:
        self._api = api
        self._scenario = scenario
        self._notes = notes

    def read(self) -> tuple[Document, bool]:
        """Answers the transcript, and whether every run in it has ended."""
        flows = {flow["id"]: flow["name"] for flow in self._flows()}
        flow_runs = self._api.all("/flow_runs/filter", {"flows": {"id": {"any_": sorted(flows)}}}) if flows else []
        ids = [run["id"] for run in flow_runs]
        task_runs = self._task_runs(ids)
        self._normal = Normaliser({run["name"] for run in flow_runs if _is_generated(run["name"])})
        self._flow_names = flows
        self._runs_by_parent: dict[str | None, list[Document]] = defaultdict(list)
        for run in flow_runs:
            self._runs_by_parent[run["parent_task_run_id"]].append(run)
        self._tasks_by_run: dict[str | None, list[Document]] = defaultdict(list)
        for task in task_runs:
            self._tasks_by_run[task["flow_run_id"]].append(task)
        self._task_names = {task["id"]: _task_name(task) for task in task_runs}
        self._read_logs(ids)
        self._read_artifacts(ids)
        transcript = {
            "notes": self._normal.value(self._notes.entries),
            "flow_runs": in_order([self._flow_run(run) for run in self._runs_by_parent[None]]),
            "task_runs": in_order([self._task_run(task) for task in self._tasks_by_run[None]]),
        }
        ended = all(run["state_type"] in TERMINAL for run in [*flow_runs, *task_runs])
        return transcript, ended

    def _flows(self) -> list[Document]:
        name = self._scenario.name
        found = self._api.all("/flows/filter", {"flows": {"name": {"like_": name}}})
        return [flow for flow in found if _belongs(flow["name"], name)]

    def _task_runs(self, flow_run_ids: list[str]) -> list[Document]:
        own = self._api.of_runs("/task_runs/filter", "task_runs", flow_run_ids)
        name = self._scenario.name
        alone = self._api.all(
            "/task_runs/filter", {"task_runs": {"name": {"like_": name}, "flow_run_id": {"is_null_": True}}}
        )
        return own + [task for task in alone if _belongs(_task_name(task), name)]

    def _flow_run(self, run: Document) -> Document:
        tasks = self._tasks_by_run[run["id"]]
        own = (run["id"], None)
        return telling({
            "flow": self._flow_names[run["flow_id"]],
            "name": "<generated>" if _is_generated(run["name"]) else self._normal.text(run["name"]),
            "parameters": self._normal.value(run["parameters"]),
            "tags": sorted(run["tags"]),
            "run_count": run["run_count"],
            "states": self._states("/flow_run_states/", flow_run_id=run["id"]),
            "policy": _policy(run["empirical_policy"]),
            "times": _times(run),
            "auto_scheduled": run["auto_scheduled"],
            "created_by": (run["created_by"] or {}).get("type"),
            "of_deployment": run["deployment_id"] is not None,
            "work_pool": run["work_pool_name"],
            "work_queue": run["work_queue_name"],
            "logs": self._logs[own],
            "artifacts": in_order(self._artifacts[own]),
            "task_runs": in_order([self._task_run(task) for task in tasks]),
        })

    def _task_run(self, task: Document) -> Document:
        own = (task["flow_run_id"], task["id"])
        children = self._runs_by_parent[task["id"]]
        return telling({
            "task": _subflow_name(task) if children else _task_name(task),
            "tags": sorted(task["tags"]),
            "run_count": task["run_count"],
            "flow_run_run_count": task["flow_run_run_count"],
            "inputs": self._inputs(task["task_inputs"]),
            "states": self._states("/task_run_states/", task_run_id=task["id"]),
            "policy": _policy(task["empirical_policy"]),
            "times": _times(task),
            "logs": self._logs[own],
            "artifacts": in_order(self._artifacts[own]),
            "subflows": in_order([self._flow_run(run) for run in children]),
        })

    def _states(self, path: str, **owner: str) -> list[str]:
        states = sorted(self._api.get(path, **owner), key=lambda state: state["timestamp"])
        # Whether a run is late depends on how busy the machine is.
        return [self._state(state) for state in states if state["name"] != "Late"]

    def _state(self, state: Document) -> str:
        """One line: `SCHEDULED AwaitingRetry "message" [marks]`."""
        details = state["state_details"] or {}
        marks: list[str] = []
        if details.get("scheduled_time") and state["name"] == "AwaitingRetry":
            # Rounded: what counts is whether the run waits, and about how long.
            marks.append(f"waits {round(_seconds(state['timestamp'], details['scheduled_time']))} s")
        if details.get("retriable") is False:
            marks.append("not retriable")
        marks += [key for key in FLAGS if details.get(key)]
        marks += [f"with {key}" for key in PRESENT if details.get(key) is not None]
        if isinstance(state["data"], dict):
            marks.append("result kept" if "storage_key" in state["data"] else f"data {state['data'].get('type')}")
        ending = f" [{', '.join(marks)}]" if marks else ""
        message = "" if state["message"] is None else f' "{self._normal.text(state["message"])}"'
        return f"{state['type']} {state['name']}{message}{ending}"

    def _inputs(self, inputs: dict[str, list[Document]]) -> Document:
        named = {item.get("id") for key, items in inputs.items() if key != PARENTS for item in items}
        shown = {}
        for key, items in sorted(inputs.items()):
            # The client also calls a parent what an argument comes from, if that still runs when it looks.
            counted = [item for item in items if key != PARENTS or item.get("id") not in named]
            if counted:
                shown[key] = sorted(self._input(item) for item in counted)
        return shown

    def _input(self, item: Document) -> str:
        if item["input_type"] == "task_run":
            return f"task run {self._task_names.get(item['id'], 'of elsewhere')}"
        return item["input_type"] if "id" in item else f"{item['input_type']} {item.get('name', item.get('type'))}"

    def _read_logs(self, flow_run_ids: list[str]) -> None:
        """Of the loggers that a person's code writes to, with what the engine says about the same run."""
        self._logs: dict[Owner, list[str]] = defaultdict(list)
        for log in self._api.of_runs("/logs/filter", "logs", flow_run_ids, sort="TIMESTAMP_ASC"):
            if log["name"] in USER_LOGGERS:
                line = f"{LEVELS.get(log['level'], log['level'])} {self._line(log)}"
                self._logs[log["flow_run_id"], log["task_run_id"]].append(line)
        self._logs = defaultdict(list, {owner: _folded(lines) for owner, lines in self._logs.items()})

    def _line(self, log: Document) -> str:
        """Frames of a traceback are the client's own; its last line is the exception."""
        lines = self._normal.text(log["message"]).strip().splitlines()
        return lines[0] if len(lines) < 2 else f"{lines[0]} … {lines[-1]}"

    def _read_artifacts(self, flow_run_ids: list[str]) -> None:
        self._artifacts: dict[Owner, list[Document]] = defaultdict(list)
        for artifact in self._api.of_runs("/artifacts/filter", "artifacts", flow_run_ids):
            shown = {
                "key": artifact["key"],
                "type": artifact["type"],
                "description": self._normal.value(artifact["description"]),
                "data": _artifact_data(artifact["data"], self._normal),
            }
            self._artifacts[artifact["flow_run_id"], artifact["task_run_id"]].append(shown)


def _belongs(name: str, scenario: str) -> bool:
    return name == scenario or name.startswith(f"{scenario}.")


def _is_generated(name: str) -> bool:
    return GENERATED_NAME.match(name) is not None


def _task_name(task: Document) -> str:
    return TASK_KEY_SUFFIX.sub("", task["name"])


def _subflow_name(task: Document) -> str:
    """Without the number of the call, so that equal ones are shown once; that of another deployment's run is generated."""
    return "<generated>" if _is_generated(task["name"]) else CALL_NUMBER.sub("", _task_name(task))


def _folded(lines: list[str]) -> list[str]:
    """Equal lines in a row are one, with their number."""
    counted = [(line, len(list(same))) for line, same in groupby(lines)]
    return [line if count == 1 else f"{line} ({count} times)" for line, count in counted]


def _artifact_data(data: Any, normal: Normaliser) -> Any:
    """Where a result is kept is the client's own affair."""
    return "<result>" if isinstance(data, dict) and "storage_key" in data else normal.value(data)


def _policy(policy: Document) -> Document:
    shown = {key: policy[key] for key in POLICY if policy.get(key)}
    if policy.get("pause_keys"):
        shown["pause_keys"] = len(policy["pause_keys"])
    return shown


def _times(run: Document) -> str:
    """Which of the times are known."""
    known = [name for name in ("expected_start_time", "start_time", "end_time") if run[name] is not None]
    known += ["total_run_time"] if run["total_run_time"] > 0 else []
    return "all" if len(known) == 4 else ", ".join(known)


def telling(document: Document) -> Document:
    """What is usual is left out."""
    return {key: value for key, value in document.items() if key not in USUAL or value != USUAL[key]}


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def in_order(documents: list[Document]) -> list[Document]:
    """Sorted by what they are; those that are equal are shown once, with their number."""
    written = Counter(json.dumps(document, sort_keys=False) for document in documents)
    return [
        {"count": count, **json.loads(text)} if count > 1 else json.loads(text)
        for text, count in sorted(written.items())
    ]
