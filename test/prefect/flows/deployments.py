"""Runs of deployments: in a process of their own, cancelled, suspended, through a worker, through serve()."""

import signal
import tempfile
from pathlib import Path

from flows import deployed
from harness.api import Api
from harness.processes import FLOWS, prefect, running
from harness.scenario import Notes, scenario
from harness.waiting import until
from prefect import Flow, flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment
from prefect.flow_runs import resume_flow_run
from prefect.states import Cancelling
from prefect.variables import Variable


def deploy(flow: Flow, function: str, **more: object) -> str:
    """Makes a deployment over the API, as `prefect deploy` does; the code is in `deployed.py`."""
    api = Api()
    flow_id = api.call("POST", "/flows/", {"name": flow.name})["id"]
    body = {"name": "test", "flow_id": flow_id, "entrypoint": f"deployed.py:{function}", "path": str(FLOWS),
            "parameter_openapi_schema": {}, **more}
    return api.call("POST", "/deployments/", body)["id"]


def run_of(deployment_id: str, **parameters: object) -> FlowRun:
    client = get_client(sync_client=True)
    return client.create_flow_run_from_deployment(deployment_id, parameters=parameters)


def ends(run: FlowRun, within_s: float = 90) -> str:
    def state() -> str | None:
        found = Api().get(f"/flow_runs/{run.id}")
        return found["state_type"] if found["state_type"] in ("COMPLETED", "FAILED", "CANCELLED", "CRASHED") else None

    return until("the run has ended", state, within_s)


def says_goodbye(run: FlowRun, state: str = "") -> None:
    """A process sends its last lines after the last state; who ends it before then loses them."""
    body = {"logs": {"flow_run_id": {"any_": [str(run.id)]}}}

    def said() -> bool:
        lines = [log["message"] for log in Api().call("POST", "/logs/filter", body) if log["task_run_id"] is None]
        return any(line.startswith(f"Finished in state {state}") for line in lines)

    until("its last line has arrived", said)


@scenario("execute", deadline_s=180)
def execute(notes: Notes) -> None:
    run = run_of(deploy(deployed.executed, "executed", tags=["deployed"], parameters={"number": 20}))
    notes.add("exit code", prefect("flow-run", "execute", str(run.id)).returncode)
    other = run_of(deploy(deployed.executed, "executed"), number=4)
    notes.add("exit code of the other", prefect("flow-run", "execute", str(other.id)).returncode)


@scenario("execute-that-fails", deadline_s=180, not_quick="a process more; execute has one")
def execute_that_fails(notes: Notes) -> None:
    run = run_of(deploy(deployed.fails, "fails"))
    notes.add("exit code", prefect("flow-run", "execute", str(run.id)).returncode)
    notes.add("failure hook", Variable.get("execute_that_fails_failure"))


@scenario("execute-that-dies", deadline_s=180, not_quick="a process more; execute has one")
def execute_that_dies(notes: Notes) -> None:
    run = run_of(deploy(deployed.dies, "dies"))
    notes.add("exit code", prefect("flow-run", "execute", str(run.id)).returncode)
    notes.add("crashed hook", Variable.get("execute_that_dies_crashed"))


@scenario("cancel-scheduled")
def cancel_scheduled(notes: Notes) -> None:
    @flow(name="cancel-scheduled")
    def never() -> None:
        raise AssertionError("it was cancelled before")

    run = run_of(deploy(never, "executed"))
    get_client(sync_client=True).set_flow_run_state(run.id, Cancelling())
    notes.add("ends", ends(run))


@scenario("cancel-nested", deadline_s=180)
def cancel_nested(notes: Notes) -> None:
    run = run_of(deploy(deployed.nested, "nested"))
    with running("-m", "prefect", "flow-run", "execute", str(run.id)) as process:
        until("the grandchild runs", lambda: Variable.get("cancel_nested_started"), 90)
        answer = get_client(sync_client=True).set_flow_run_state(run.id, Cancelling())
        notes.add("answer", [answer.status.value, answer.state.name if answer.state else None])
        notes.add("ends", ends(run))
        process.wait(30)
    for name in ("cancel_nested", "cancel_nested_child", "cancel_nested_grandchild"):
        notes.add(f"hook of {name}", Variable.get(f"{name}_cancellation"))
    notes.add("crashed hook", Variable.get("cancel_nested_crashed"))


@scenario("suspend", deadline_s=180, not_quick="two processes")
def suspend(notes: Notes) -> None:
    run = run_of(deploy(deployed.suspends, "suspends"))
    notes.add("exit code", prefect("flow-run", "execute", str(run.id)).returncode)
    notes.add("suspended", Api().get(f"/flow_runs/{run.id}")["state_name"])
    resume_flow_run(run.id)
    notes.add("resumed", Api().get(f"/flow_runs/{run.id}")["state_name"])
    notes.add("exit code again", prefect("flow-run", "execute", str(run.id)).returncode)
    notes.add("ends", ends(run))


@scenario("run-deployment", deadline_s=180)
def through_a_worker(notes: Notes) -> None:
    Api().call("POST", "/work_pools/", {"name": "run-deployment", "type": "process"})
    deployed.worked.from_source(str(FLOWS), "deployed.py:worked").deploy(
        "test", work_pool_name="run-deployment", tags=["worked"], parameters={"word": "of the deployment"},
        print_next_steps=False, ignore_warnings=True,
    )

    @flow(name="run-deployment")
    def parent() -> object:
        return run_deployment("run-deployment.worker/test", parameters={"word": "of the parent"}, timeout=120)

    with running("-m", "prefect", "worker", "start", "--pool", "run-deployment", "--type", "process", "--name", "w"):
        run = run_deployment("run-deployment.worker/test", timeout=120, flow_run_name="named run 1", tags=["more"])
        notes.state("alone", run.state)
        child = parent()
        notes.state("in a flow", child.state)
        early = run_deployment("run-deployment.worker/test", timeout=0, idempotency_key="once")
        again = run_deployment("run-deployment.worker/test", timeout=0, idempotency_key="once")
        notes.add("one key, one run", early.id == again.id)
        notes.add("ends", ends(early))
        for each in (run, child, early):
            says_goodbye(each)


PREFECT_YAML = """
name: deploy-with-a-file
pull:
  - prefect.deployments.steps.set_working_directory:
      directory: {folder}
deployments:
  - name: test
    entrypoint: deployed.py:waits_for_a_word
    description: Deployed by a file.
    tags: [filed]
    parameters: {{word: of the file}}
    schedules:
      - {{cron: "0 0 1 1 *", timezone: Europe/London, slug: yearly, active: false}}
    work_pool: {{name: deploy-with-a-file, job_variables: {{stream_output: false}}}}
"""


@scenario("deploy-with-a-file", deadline_s=240, not_quick="five processes; run-deployment has a worker")
def deploy_with_a_file(notes: Notes) -> None:
    """`prefect deploy`, then a worker: a run suspends, its process ends, and another one goes on when it is resumed."""
    prefect("work-pool", "create", "deploy-with-a-file", "--type", "process")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "prefect.yaml")
        file.write_text(PREFECT_YAML.format(folder=FLOWS))
        for _ in ("made", "changed"):
            done = prefect("--no-prompt", "deploy", "--all", "--prefect-file", str(file), cwd=str(FLOWS))
            notes.add("exit code", done.returncode)
    made = _deployment("deploy-with-a-file/test") or {}
    notes.add("deployment", {key: made.get(key) for key in (
        "description", "tags", "parameters", "entrypoint", "pull_steps", "job_variables", "work_pool_name",
        "work_queue_name", "enforce_parameter_schema", "paused")})
    notes.add("schedules", [[each["schedule"], each["active"], each["slug"]] for each in made.get("schedules", [])])
    with running("-m", "prefect", "worker", "start", "--pool", "deploy-with-a-file", "--type", "process", "--name", "w"):
        run = run_of(made["id"], number=2)
        until("it is suspended", lambda: Api().get(f"/flow_runs/{run.id}")["state_name"] == "Suspended", 120)
        resume_flow_run(run.id)
        notes.add("ends", ends(run, 120))
        says_goodbye(run, "Completed")


@scenario("served", deadline_s=180, not_quick="two processes; run-deployment has a worker")
def through_serve(notes: Notes) -> None:
    program = "from flows.deployed import served; served.serve('test', pause_on_shutdown=True)"
    # By Ctrl-C: after SIGTERM it pauses its deployments only if it is quick enough.
    with running("-c", program, cwd=str(FLOWS.parent), stop=signal.SIGINT):
        until("it is served", lambda: _deployment("served.flow/test"), 90)
        run = run_deployment("served.flow/test", parameters={"word": "hi"}, timeout=120)
        notes.state("state", run.state)
        says_goodbye(run)
    notes.add("paused at the end", _deployment("served.flow/test")["paused"])


def _deployment(name: str) -> dict | None:
    try:
        return Api().get(f"/deployments/name/{name}")
    except RuntimeError:
        return None


@scenario("background-tasks", deadline_s=180)
def background_tasks(notes: Notes) -> None:
    futures = [deployed.add.delay(number, other=1) for number in range(3)]
    notes.add("waits", sorted({future.state.name for future in futures}))
    failure = deployed.background_failure.delay()

    @flow(name="background-tasks")
    def delays() -> None:
        deployed.add.delay(20, other=1).wait(timeout=120)

    with running("-m", "prefect", "task", "serve", "deployed.py:add", "deployed.py:background_failure", cwd=str(FLOWS)):
        notes.add("values", [future.result(timeout=120) for future in futures])
        failure.wait(timeout=120)
        notes.add("failure", failure.state.name)
        late = deployed.add.delay(40, other=2)
        notes.add("late", late.result(timeout=120))
        delays()
