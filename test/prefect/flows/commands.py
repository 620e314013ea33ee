"""What `prefect` on the command line reads and does."""

import json
import re
import subprocess
import sys
from typing import Any

from harness.scenario import Notes, scenario
from prefect import flow, get_client, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.states import Scheduled
from prefect.variables import Variable

#: Of the JSON that commands print: times in seconds differ from run to run.
SECONDS = re.compile(r"(_time|_time_delta|_lateness)$|^estimated_")
#: The frames of a traceback are the client's own.
TRACEBACK = re.compile(r"Traceback \(most recent call last\):\n(?:[ \t].*\n|\n)*")


def type_commands(commands: list[list[str]]) -> list[tuple[int, str]]:
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli_session"],
        input=json.dumps(commands), capture_output=True, text=True, check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout)


def tidy(output: str) -> Any:
    """JSON as a value; a table as its words, without borders and without how long ago something was."""
    try:
        return without_seconds(json.loads(output))
    except json.JSONDecodeError:
        words = TRACEBACK.sub("", output)
        words = re.sub(r"[─━│┃┏┓┗┛┡┩└┘├┤┬┴┼╇╈┳┻╞╡╪═╭╮╰╯]+", " ", words)
        words = re.sub(r"(an?|a few|\d+) (second|minute|moment)s? ago|just now|now\b", "<ago>", words)
        # What the server says of its own accord besides the status.
        words = re.sub(r"Response: \{.*?\} - For", "Response: <body> - For", words)
        return [" ".join(line.split()) for line in words.splitlines() if line.strip()]


def without_seconds(value: Any) -> Any:
    """Also without what is null: the client prints every field that it knows."""
    if isinstance(value, list):
        return [without_seconds(item) for item in value]
    if isinstance(value, dict):
        return {
            key: "<seconds>" if SECONDS.search(key) and isinstance(item, (int, float)) else without_seconds(item)
            for key, item in value.items()
            if item is not None
        }
    return value


@scenario("commands", deadline_s=180)
def commands(notes: Notes) -> None:
    @task(name="commands.task", task_run_name="commands step 1")
    def work() -> str:
        get_run_logger().info("said by the task")
        create_markdown_artifact("text", key="commands-artifact", description="described")
        return "done"

    @flow(name="commands.good", flow_run_name="commands run 1", version="1")
    def good(number: int) -> str:
        get_run_logger().warning("said by the flow")
        return work()

    @flow(name="commands.bad", flow_run_name="commands run 2", version="1")
    def bad() -> None:
        raise ValueError("broken")

    @flow(name="commands.later", flow_run_name="commands run 3", version="1")
    def later() -> None:
        raise AssertionError("it is cancelled before")

    client = get_client(sync_client=True)
    state = good(7, return_state=True)
    failed = bad(return_state=True)
    Variable.set("commands_variable", {"a": 1}, tags=["x"])
    run, failed_run = str(state.state_details.flow_run_id), str(failed.state_details.flow_run_id)
    scheduled = str(client.create_flow_run(later, name="commands run 3", state=Scheduled()).id)
    [step] = client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run])))
    typed = [
        ["flow", "ls", "--limit", "200", "-o", "json"],
        ["flow-run", "ls", "--flow-name", "commands.good"],
        ["flow-run", "ls", "--flow-name", "commands.bad", "--state-type", "FAILED", "-o", "json"],
        ["flow-run", "ls", "--flow-name", "commands.bad", "--state", "Completed"],
        ["flow-run", "inspect", run, "-o", "json"],
        ["flow-run", "inspect", "commands run 2"],
        ["flow-run", "inspect", "00000000-0000-4000-8000-000000000000"],
        ["flow-run", "logs", run],
        ["flow-run", "logs", run, "--head", "--num-logs", "1"],
        ["flow-run", "logs", failed_run, "--reverse"],
        ["flow-run", "cancel", scheduled],
        ["flow-run", "inspect", scheduled, "-o", "json"],
        ["flow-run", "cancel", run],
        ["flow-run", "cancel", "00000000-0000-4000-8000-000000000000"],
        ["task-run", "ls", "--task-run-name", "commands step 1", "-o", "json"],
        ["task-run", "ls", "--state", "Nonsense"],
        ["task-run", "inspect", str(step.id), "-o", "json"],
        ["task-run", "logs", str(step.id)],
        ["artifact", "ls", "-o", "json"],
        ["artifact", "inspect", "commands-artifact", "-o", "json"],
        ["artifact", "inspect", "commands-unknown"],
        ["variable", "ls", "-o", "json"],
        ["variable", "inspect", "commands_variable", "-o", "json"],
        ["variable", "get", "commands_variable"],
        ["variable", "get", "commands_unknown"],
        ["variable", "set", "commands_variable", "new"],
        ["variable", "set", "commands_variable", "new", "--overwrite", "--tag", "y"],
        ["variable", "unset", "commands_variable"],
        ["variable", "unset", "commands_variable"],
        ["flow-run", "delete", failed_run],
        ["flow-run", "delete", failed_run],
        ["flow-run", "inspect", failed_run],
        ["artifact", "delete", "commands-artifact"],
    ]
    note_answers(notes, typed)


@scenario("commands-for-blocks", deadline_s=180, not_quick="commands has those of runs")
def commands_for_blocks(notes: Notes) -> None:
    from prefect.blocks.system import Secret

    Secret(value="hush").save("commands-for-blocks-secret")
    typed = [
        ["block", "inspect", "secret/commands-for-blocks-secret"],
        ["block", "ls"],
        ["block", "type", "inspect", "secret"],
        ["block", "delete", "secret/commands-for-blocks-secret"],
        ["block", "inspect", "secret/commands-for-blocks-secret"],
    ]
    note_answers(notes, typed)


def note_answers(notes: Notes, typed: list[list[str]]) -> None:
    for number, (words, (code, output)) in enumerate(zip(typed, type_commands(typed), strict=True)):
        notes.add(f"{number:02} {' '.join(words)}", {"exit code": code, "output": own(tidy(output), words[1] == "ls")})


def own(output: Any, lists_all: bool) -> Any:
    """Of a list of everything, what this scenario made."""
    if lists_all and isinstance(output, list) and len(output) > 1:
        return [item for item in output if "commands" in json.dumps(item)]
    return output
