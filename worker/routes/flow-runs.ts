import { notFound, SluiceError } from "#protocol/errors";
import * as api from "#protocol/flow-runs";
import type { DeploymentId, FlowRunId } from "#protocol/ids";
import { LIMITS } from "#protocol/limits";
import { sendRunFrames } from "#protocol/run-channel";
import { type EpochMs, toWireTime } from "#protocol/time";
import { withEstimates } from "../../durable-objects/flow-run-document.ts";
import { ownerOf } from "../../durable-objects/partition.ts";
import { checkJobVariables } from "../check-job-variables.ts";
import { createFlowRun, draftOf, requireSize } from "../create-flow-run.ts";
import { createdBy } from "../created-by.ts";
import { runnableDeployment } from "../db/queries/deployments.ts";
import * as queries from "../db/queries/flow-runs.ts";
import { keepStatesToOwnRun } from "../keep-to-own-run.ts";
import { removeFlowRun } from "../remove-flow-runs.ts";
import { type App, serve, withStatus } from "../serve.ts";

export function flowRunRoutes(app: App): void {
  serve(
    app,
    api.createFlowRun,
  )(async ({ env, body, c }) => {
    const { run, created } = await createFlowRun(env, await draftOf(env, body, createdBy(c)));
    return withStatus(run, created ? 201 : 200);
  });
  serve(
    app,
    api.filterFlowRuns,
  )(async ({ env, body }) => {
    const now = Date.now() as EpochMs;
    const runs = await queries.listFlowRuns(env, body, {
      sort: body.sort ?? "ID_DESC",
      limit: body.limit ?? LIMITS.pageRows,
      offset: body.offset ?? 0,
    });
    return runs.map((run) => withEstimates(run, now));
  });
  serve(app, api.countFlowRuns)(({ env, body }) => queries.countFlowRuns(env, body));
  serve(
    app,
    api.readFlowRunStates,
  )(async ({ env, query }) => {
    const id = query.flow_run_id;
    return found(await requireOwner(env, id).states(id), id);
  });
  serve(
    app,
    api.readFlowRun,
  )(async ({ env, params }) => found(await requireOwner(env, params.id).read(params.id), params.id));
  serve(
    app,
    api.updateFlowRun,
  )(async ({ env, params, body }) => {
    const owner = requireOwner(env, params.id);
    if (body.job_variables) {
      const run = found(await owner.read(params.id), params.id);
      await checkUpdate(env, requireStartable(run), body.job_variables);
    }
    if (body.parameters) requireSize(body.parameters);
    if (!(await owner.update(params.id, body))) throw notFound("Flow run", params.id);
    return undefined;
  });
  serve(
    app,
    api.updateFlowRunLabels,
  )(async ({ env, params, body }) => {
    if (!(await requireOwner(env, params.id).addLabels(params.id, body))) throw notFound("Flow run", params.id);
    return undefined;
  });
  serve(
    app,
    api.deleteFlowRun,
  )(async ({ env, params }) => {
    if (!(await removeFlowRun(env, params.id))) throw notFound("Flow run", params.id);
    return undefined;
  });
  serve(
    app,
    api.setFlowRunState,
  )(async ({ env, params, body, c }) => {
    const own = c.get("caller")?.run ?? null;
    if (own !== null) await keepStatesToOwnRun(env, own, params.id, body.state.type);
    const begunAt = toWireTime(Date.now() as EpochMs);
    const outcome = found(await requireOwner(env, params.id).setState(params.id, body), params.id);
    // Upstream: 201 when the answered state is at least as new as the request.
    const isNew = outcome.result.state !== null && outcome.result.state.timestamp >= begunAt;
    return withStatus(outcome.result, isNew ? 201 : 200);
  });
  serve(
    app,
    sendRunFrames,
  )(async ({ env, params, body }) => ({
    frames: await requireOwner(env, params.id).frames(params.id, body.frames),
  }));
}

/** Job variables say how a run is started: they change while it waits for that. */
function requireStartable({ state_type: type, deployment_id: deployment }: api.FlowRun): DeploymentId {
  if (type === "SCHEDULED" && deployment !== null) return deployment;
  const why = type === "SCHEDULED" ? "without a deployment" : `in state ${type}`;
  throw new SluiceError("bad_request", `Job variables for a flow run ${why} cannot be updated`, {
    fix: "Change the job variables of a scheduled run of a deployment only.",
  });
}

/** The changed job variables must fit the work pool, as those of a new run must. */
async function checkUpdate(env: Env, id: DeploymentId, variables: api.JsonObject): Promise<void> {
  const deployment = await runnableDeployment(env, id, null);
  if (!deployment?.pool) return;
  checkJobVariables({
    baseJobTemplate: deployment.pool.baseJobTemplate,
    variables: { ...deployment.details.job_variables, ...variables },
    what: "Error updating flow run",
    isComplete: true,
  });
}

function requireOwner(env: Env, id: FlowRunId) {
  const owner = ownerOf(env.FLOW_RUNS, id);
  if (!owner) throw notFound("Flow run", id);
  return owner;
}

function found<T>(value: T | null, id: FlowRunId): T {
  if (value === null) throw notFound("Flow run", id);
  return value;
}
