/** Makes flow runs: finds out what they are to be, lets the idempotency key decide, and hands them to their owner. */
import { notFound, SluiceError } from "#protocol/errors";
import type { CreatedBy, FlowRun, FlowRunCreate, JsonObject, Labels } from "#protocol/flow-runs";
import type { DeploymentId, FlowRunId } from "#protocol/ids";
import { LIMITS } from "#protocol/limits";
import { runName } from "#protocol/run-name";
import { NO_DETAILS, type StateCreate } from "#protocol/states";
import { utf8Length } from "#protocol/utf8";
import type { NewFlowRun, RunPlacement } from "../durable-objects/flow-run-owner.ts";
import { ownerOf } from "../durable-objects/partition.ts";
import { deploymentById } from "./db/queries/deployments.ts";
import { claimKey } from "./db/queries/flow-runs.ts";
import { workPoolByName, workQueueByName } from "./db/queries/work-pools.ts";
import { requireFlow } from "./known-flows.ts";
import { newFlowRunId } from "./new-id.ts";

/** A run without what is decided here: its id. */
export type FlowRunDraft = Omit<NewFlowRun, "id" | "name"> & { readonly name: string | null };

/** Fails where parameters are larger than a run may carry. */
export function requireSize(parameters: JsonObject): void {
  const bytes = utf8Length(JSON.stringify(parameters));
  if (bytes <= LIMITS.parameterBytes) return;
  throw new SluiceError("validation", `Field parameters has ${bytes} bytes; ${LIMITS.parameterBytes} are allowed.`, {
    fix: "Put large data into storage of your own and pass where it is.",
    issues: [{ loc: ["body", "parameters"], msg: "is too large", type: "too_big" }],
  });
}

export async function createFlowRun(env: Env, draft: FlowRunDraft): Promise<{ run: FlowRun; created: boolean }> {
  const { request } = draft;
  requireSize(request.parameters);
  const flowLabels = await requireFlow(env, request.flow_id);
  const key = request.idempotency_key ?? null;
  let id: FlowRunId = newFlowRunId(env);
  // The winner of the key may have gone before it made its run: whoever comes with the key again makes it.
  if (key !== null) id = await claimKey(env, request.flow_id, key, id);
  const owner = ownerOf(env.FLOW_RUNS, id);
  if (!owner) throw notFound("Flow run", id);
  const labels = { ...flowLabels, "prefect.flow.id": request.flow_id, ...request.labels };
  return owner.create({ ...draft, id, name: draft.name || randomName(), request: { ...request, labels } });
}

/** The draft of a run that no deployment is behind. Without a state it is PENDING: its maker executes it. */
export async function draftOf(env: Env, body: FlowRunCreate, createdBy: CreatedBy | null): Promise<FlowRunDraft> {
  const { state, name, ...request } = body;
  return {
    name: name ?? null,
    request: { ...request, labels: { ...(await deploymentLabels(env, request.deployment_id)), ...request.labels } },
    state: state ?? PENDING,
    deploymentVersion: null,
    createdBy,
    autoScheduled: false,
    placement: body.work_pool_name ? await placementIn(env, body.work_pool_name, body) : null,
  };
}

/** What a run inherits from a deployment that its maker names, though it does not run it. */
async function deploymentLabels(env: Env, id: DeploymentId | null | undefined): Promise<Labels> {
  const deployment = id ? await deploymentById(env, id) : null;
  return deployment ? { ...deployment.labels, "prefect.deployment.id": deployment.id } : {};
}

const PENDING: StateCreate = { type: "PENDING", name: null, message: null, data: null, state_details: NO_DETAILS };

/** The place of a run in a pool that its maker names; the pool and the queue must be there. */
async function placementIn(env: Env, poolName: string, body: FlowRunCreate): Promise<RunPlacement> {
  const pool = await workPoolByName(env, poolName);
  if (!pool) throw notFound("Work pool", `"${poolName}"`, `Create it first: sluice work-pool create ${poolName}`);
  const queueName = body.work_queue_name ?? "default";
  const queue = await workQueueByName(env, pool, queueName);
  if (!queue) throw notFound("Work queue", `"${poolName}/${queueName}"`);
  return {
    poolName,
    poolId: pool.id,
    queue: { id: queue.id, name: queue.name, priority: queue.priority },
    entrypoint: null,
    path: null,
    pullSteps: null,
    jobVariables: body.job_variables ?? {},
  };
}

/** A name for a run that nobody named. */
export function randomName(): string {
  const [first = 0, second = 0] = crypto.getRandomValues(new Uint16Array(2));
  return runName(first, second);
}
