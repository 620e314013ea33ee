import { notFound, SluiceError } from "#protocol/errors";
import { retryFlowRun } from "#protocol/flow-run-retry";
import { DeploymentFlowRunCreate, type FlowRun } from "#protocol/flow-runs";
import { isTerminal } from "#protocol/states";
import { ownerOf } from "../../durable-objects/partition.ts";
import { createdBy } from "../created-by.ts";
import { runDeployment } from "../run-deployment.ts";
import { type App, serve } from "../serve.ts";

export function flowRunRetryRoutes(app: App): void {
  serve(
    app,
    retryFlowRun,
  )(async ({ env, params: { id }, body, c }) => {
    const owner = ownerOf(env.FLOW_RUNS, id);
    const run = await owner?.read(id);
    if (!owner || !run) throw notFound("Flow run", id);
    if (!isTerminal(run.state_type)) throw notEnded(run);
    if (run.deployment_id === null) {
      throw new SluiceError("bad_request", `Flow run ${id} has no deployment, so nobody could run it again.`, {
        fix: "Start the flow anew where it was started, or deploy it.",
      });
    }
    if (body.parameters) {
      if (body.from_task_run_id) {
        throw new SluiceError("bad_request", "A new run has no task runs to go on from.", {
          fix: "Send parameters or from_task_run_id, not both.",
        });
      }
      return (await runDeployment(env, run.deployment_id, anew(run, body.parameters), createdBy(c))).run;
    }
    const outcome = await owner.retry(id, body.from_task_run_id ?? null);
    if (outcome === "unknown task") throw notFound("Task run", body.from_task_run_id ?? "");
    // It may have been started again since it was read.
    if (outcome === "not ended") throw notEnded((await owner.read(id)) ?? run);
    const again = await owner.read(id);
    if (!again) throw notFound("Flow run", id);
    return again;
  });
}

function notEnded({ id, state_name }: FlowRun): SluiceError {
  return new SluiceError("conflict", `Flow run ${id} has not ended: it is ${state_name ?? "without a state"}.`, {
    fix: "Wait for its end, or cancel it first.",
  });
}

/** The request that makes a run like this one, with other parameters. */
function anew(run: FlowRun, parameters: Record<string, unknown>): DeploymentFlowRunCreate {
  return DeploymentFlowRunCreate.parse({
    parameters: { ...run.parameters, ...parameters },
    tags: run.tags,
    work_queue_name: run.work_queue_name,
    job_variables: run.job_variables,
    labels: { "sluice.retry-of": run.id },
  });
}
