import { and, asc, desc, eq, type SQL, sql } from "drizzle-orm";
import type {
  Deployment,
  DeploymentCreate,
  DeploymentDetails,
  DeploymentScheduleUpdate,
  DeploymentSort,
  DeploymentUpdate,
} from "#protocol/deployments";
import { SluiceError } from "#protocol/errors";
import type { FlowRunFilters } from "#protocol/filters";
import { type FlowControl, NO_FLOW_CONTROL } from "#protocol/flow-control";
import type { JsonObject } from "#protocol/flow-runs";
import type { DeploymentId, FlowId, WorkPoolId, WorkQueueId } from "#protocol/ids";
import { HTTP_POOL_TYPE } from "#protocol/push";
import { type EpochMs, toWireTime } from "#protocol/time";
import { withSlots } from "../../limit-documents.ts";
import { newId } from "../../new-id.ts";
import { planSchedules, type SchedulePlan } from "../../scheduling/plan-schedules.ts";
import { deploymentsWhere, oneOf } from "../filters.ts";
import { type Db, openDb } from "../open.ts";
import { concurrencyLimits } from "../schema/concurrency-limits.ts";
import { deploymentFlowControls, deploymentSchedules, deployments, type StoredDetails } from "../schema/deployments.ts";
import { flows } from "../schema/flows.ts";
import { workers, workPools, workQueues } from "../schema/work-pools.ts";
import { columnsOf, insertSchedule, policyStatements, toSchedule } from "./deployment-schedules.ts";
import { newestVersion, recordVersion } from "./deployment-versions.ts";
import { clearAhead, forgetSchedules } from "./scheduled-runs.ts";
import { isPolled, workPoolByName } from "./work-pools.ts";
import { ensureWorkQueue } from "./work-queues.ts";

const ORDER = {
  CREATED_DESC: desc(deployments.created),
  UPDATED_DESC: desc(deployments.updated),
  NAME_ASC: asc(deployments.name),
  NAME_DESC: desc(deployments.name),
} satisfies Record<DeploymentSort, SQL>;

/** Makes a deployment, or changes what is said of the one that the flow has under this name, as a redeploy does. */
export async function upsertDeployment(
  env: Env,
  request: DeploymentCreate,
): Promise<{ deployment: Deployment; created: boolean }> {
  const db = openDb(env);
  const now = Date.now();
  const known = await deploymentOf(env, request.flow_id, request.name);
  const whole = known ? { ...known, ...whatIsSaid(request) } : request;
  const staysInPool = request.work_pool_name === undefined;
  const place = await placeOf(env, whole.work_pool_name, staysInPool ? whole.work_queue_name : request.work_queue_name);
  const id = newId() as DeploymentId;
  const [row] = await db
    .insert(deployments)
    .values({
      id,
      flowId: request.flow_id,
      name: request.name,
      workPoolId: place.poolId,
      workQueueId: place.queueId,
      paused: whole.paused ?? false,
      tags: whole.tags ?? [],
      doc: detailsOf(whole),
      created: now,
      updated: now,
    })
    .onConflictDoUpdate({
      target: [deployments.flowId, deployments.name],
      set: {
        workPoolId: place.poolId,
        workQueueId: place.queueId,
        paused: whole.paused ?? false,
        tags: whole.tags ?? [],
        doc: detailsOf(whole),
        updated: now,
      },
    })
    .returning({ id: deployments.id });
  const stored = (row?.id ?? id) as DeploymentId;
  const [first, ...others] = replaceSchedules(db, stored, request.schedules ?? [], now);
  await db.batch([first, ...others]);
  const deployment = await deploymentById(env, stored);
  if (!deployment) throw new Error(`Deployment ${stored} was deleted while it was made.`);
  await recordVersion(env, deployment);
  return { deployment, created: stored === id };
}

export async function deploymentById(env: Env, id: DeploymentId): Promise<Deployment | null> {
  return (await select(env, eq(deployments.id, id), ORDER.NAME_ASC, 1, 0))[0] ?? null;
}

/** The JSON schemas of the parameters of deployments; null for one without. Those that are gone are missing. */
export async function parameterSchemas(
  env: Env,
  ids: readonly DeploymentId[],
): Promise<ReadonlyMap<DeploymentId, JsonObject | null>> {
  const rows = await openDb(env)
    .select({ id: deployments.id, doc: deployments.doc })
    .from(deployments)
    .where(oneOf(deployments.id, ids));
  return new Map(rows.map(({ id, doc }) => [id as DeploymentId, doc.parameter_openapi_schema ?? null]));
}

async function deploymentOf(env: Env, flow: FlowId, name: string): Promise<Deployment | null> {
  const named = and(eq(deployments.flowId, flow), eq(deployments.name, name));
  return (await select(env, named, ORDER.NAME_ASC, 1, 0))[0] ?? null;
}

/** A deployment with its pool and queue: all that a run of it needs, in one query, since every trigger asks. */
export interface RunnableDeployment {
  readonly id: DeploymentId;
  readonly flowId: FlowId;
  readonly tags: readonly string[];
  readonly details: DeploymentDetails;
  /** The number of its newest version. */
  readonly versionNumber: number;
  readonly flowControl: FlowControl;
  readonly pool: { readonly id: WorkPoolId; readonly name: string; readonly baseJobTemplate: JsonObject } | null;
  readonly queue: { readonly id: WorkQueueId; readonly name: string; readonly priority: number } | null;
}

/** Null when there is no such deployment. `queueName` asks for another queue of its pool; an unknown one is null. */
export async function runnableDeployment(
  env: Env,
  id: DeploymentId,
  queueName: string | null,
): Promise<RunnableDeployment | null> {
  const ofDeployment = eq(workQueues.id, deployments.workQueueId);
  const named = and(eq(workQueues.workPoolId, deployments.workPoolId), eq(workQueues.name, queueName ?? ""));
  const [row] = await openDb(env)
    .select({
      flowId: deployments.flowId,
      tags: deployments.tags,
      details: deployments.doc,
      versionNumber: newestVersion(deployments.id),
      flowControl: deploymentFlowControls.doc,
      poolId: workPools.id,
      poolName: workPools.name,
      baseJobTemplate: workPools.baseJobTemplate,
      queueId: workQueues.id,
      queueName: workQueues.name,
      priority: workQueues.priority,
    })
    .from(deployments)
    .leftJoin(workPools, eq(workPools.id, deployments.workPoolId))
    .leftJoin(workQueues, queueName === null ? ofDeployment : named)
    .leftJoin(deploymentFlowControls, eq(deploymentFlowControls.deploymentId, deployments.id))
    .where(eq(deployments.id, id));
  if (!row) return null;
  const { poolId, poolName, queueId, priority } = row;
  return {
    id,
    flowId: row.flowId as FlowId,
    tags: row.tags,
    details: row.details,
    versionNumber: row.versionNumber ?? 1,
    flowControl: { ...NO_FLOW_CONTROL, ...row.flowControl },
    pool:
      poolId !== null && poolName !== null
        ? { id: poolId as WorkPoolId, name: poolName, baseJobTemplate: row.baseJobTemplate ?? {} }
        : null,
    queue:
      queueId !== null && row.queueName !== null && priority !== null
        ? { id: queueId as WorkQueueId, name: row.queueName, priority }
        : null,
  };
}

export async function deploymentByName(env: Env, flow: string, name: string): Promise<Deployment | null> {
  const ofFlow = sql`${deployments.flowId} IN (SELECT ${flows.id} FROM ${flows} WHERE ${eq(flows.name, flow)})`;
  return (await select(env, and(eq(deployments.name, name), ofFlow), ORDER.NAME_ASC, 1, 0))[0] ?? null;
}

export function listDeployments(
  env: Env,
  filters: FlowRunFilters,
  page: { readonly sort: DeploymentSort; readonly limit: number; readonly offset: number },
): Promise<Deployment[]> {
  return select(env, deploymentsWhere(filters), ORDER[page.sort], page.limit, page.offset);
}

export async function countDeployments(env: Env, filters: FlowRunFilters): Promise<number> {
  return openDb(env).$count(deployments, deploymentsWhere(filters));
}

/** The deployment as it is afterwards; null when there is none. */
export async function changeDeployment(
  env: Env,
  id: DeploymentId,
  change: DeploymentUpdate,
): Promise<Deployment | null> {
  const known = await deploymentById(env, id);
  if (!known) return null;
  // A queue of null is not said; but another pool has other queues.
  const moves = change.work_pool_name !== undefined || change.work_queue_name != null;
  const place = moves
    ? await placeOf(env, change.work_pool_name ?? known.work_pool_name, change.work_queue_name)
    : undefined;
  const plan = change.schedules == null ? null : planSchedules(known.schedules, change.schedules);
  const db = openDb(env);
  const now = Date.now();
  await db.batch([
    db
      .update(deployments)
      .set({
        ...(place ? { workPoolId: place.poolId, workQueueId: place.queueId } : {}),
        ...(change.paused != null ? { paused: change.paused } : {}),
        ...(change.tags != null ? { tags: change.tags } : {}),
        doc: detailsOf({ ...known, ...whatIsSaid(change) }),
        updated: now,
      })
      .where(eq(deployments.id, id)),
    ...clearAhead(db, sql`= ${id}`, now),
    ...(plan === null ? [] : scheduleChanges(db, id, plan, change.schedules ?? [], now)),
  ]);
  const changed = await deploymentById(env, id);
  if (changed) await recordVersion(env, changed);
  return changed;
}

/** All schedules of a deployment are made anew; what was ahead of the old ones goes. */
function replaceSchedules(db: Db, id: DeploymentId, schedules: readonly DeploymentScheduleUpdate[], now: number) {
  return [
    ...forgetSchedules(db, schedulesOf(id)),
    ...clearAhead(db, sql`= ${id}`, now),
    db.delete(deploymentSchedules).where(eq(deploymentSchedules.deploymentId, id)),
    ...schedules.flatMap((one) => additionOf(db, id, one)),
  ] as const;
}

/** Slugs that change hands are freed first. */
function scheduleChanges(
  db: Db,
  id: DeploymentId,
  plan: SchedulePlan,
  wanted: readonly DeploymentScheduleUpdate[],
  now: number,
) {
  if (plan.kind === "replace") return replaceSchedules(db, id, wanted, now);
  const renamed = JSON.stringify(plan.changes.filter(({ to }) => to.replaces).map((change) => change.id));
  return [
    db
      .update(deploymentSchedules)
      .set({ slug: null })
      .where(sql`${deploymentSchedules.id} IN (SELECT value FROM json_each(${renamed}))`),
    ...plan.changes.flatMap((change) => [
      db.update(deploymentSchedules).set(columnsOf(change.to, now)).where(eq(deploymentSchedules.id, change.id)),
      ...policyStatements(db, id, change.id, change.to),
    ]),
    ...plan.additions.flatMap((one) => additionOf(db, id, one)),
  ] as const;
}

/** Nothing for one that does not say when it is due. */
function additionOf(db: Db, id: DeploymentId, one: DeploymentScheduleUpdate) {
  return one.schedule ? insertSchedule(db, id, { ...one, schedule: one.schedule }).statements : [];
}

function schedulesOf(id: DeploymentId): SQL {
  return sql`IN (SELECT id FROM deployment_schedules WHERE deployment_id = ${id})`;
}

/** The pool and queue of a deployment. An unknown pool is the caller's mistake; an unknown queue is made, as upstream. */
async function placeOf(
  env: Env,
  poolName: string | null | undefined,
  queueName: string | null | undefined,
): Promise<{ poolId: string | null; queueId: string | null }> {
  if (!poolName) return { poolId: null, queueId: null };
  const pool = await workPoolByName(env, poolName);
  if (!pool) {
    throw new SluiceError("not_found", `Work pool "${poolName}" was not found.`, {
      fix: `Create it first: sluice work-pool create ${poolName}`,
    });
  }
  if (!queueName) return { poolId: pool.id, queueId: pool.default_queue_id };
  return { poolId: pool.id, queueId: (await ensureWorkQueue(env, pool, queueName)).id };
}

/** The limit whose slots the deployment's runs take. */
const LIMIT_ID = sql<string | null>`${deployments.doc} ->> '$.global_concurrency_limit_id'`;

/** Links a deployment to a limit, or to none. */
export async function setDeploymentLimit(env: Env, id: DeploymentId, limitId: string | null): Promise<void> {
  await openDb(env)
    .update(deployments)
    .set({ doc: sql`json_set(${deployments.doc}, '$.global_concurrency_limit_id', ${limitId})` })
    .where(eq(deployments.id, id));
}

/** Runs of an http pool are pushed: nobody has to be online for them. */
const WORKER_ONLINE = sql<number>`(coalesce(${workPools.type}, '') = ${HTTP_POOL_TYPE} OR EXISTS (SELECT 1 FROM ${workers}
  WHERE ${workers.workPoolId} = ${deployments.workPoolId} AND ${workers.status} = 'ONLINE'))`;

async function select(
  env: Env,
  where: SQL | undefined,
  order: SQL,
  limit: number,
  offset: number,
): Promise<Deployment[]> {
  const db = openDb(env);
  const rows = await db
    .select({
      deployment: deployments,
      poolName: workPools.name,
      queueName: workQueues.name,
      served: WORKER_ONLINE,
      limit: concurrencyLimits,
    })
    .from(deployments)
    .leftJoin(workPools, eq(workPools.id, deployments.workPoolId))
    .leftJoin(workQueues, eq(workQueues.id, deployments.workQueueId))
    .leftJoin(concurrencyLimits, eq(concurrencyLimits.id, LIMIT_ID))
    .where(where)
    .orderBy(order, desc(deployments.id))
    .limit(limit)
    .offset(offset);
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.deployment.id);
  const schedules = await db
    .select()
    .from(deploymentSchedules)
    .where(oneOf(deploymentSchedules.deploymentId, ids))
    .orderBy(asc(deploymentSchedules.id));
  const limits = await Promise.all(rows.map(({ limit }) => limit && withSlots(env, limit)));
  return rows.map(({ deployment, poolName, queueName, served }, index) => ({
    ...wireDetails(deployment.doc),
    id: deployment.id as DeploymentId,
    created: toWireTime(deployment.created as EpochMs),
    updated: toWireTime(deployment.updated as EpochMs),
    name: deployment.name,
    flow_id: deployment.flowId as FlowId,
    paused: deployment.paused,
    schedules: schedules.filter((row) => row.deploymentId === deployment.id).map(toSchedule),
    global_concurrency_limit: limits[index] ?? null,
    tags: deployment.tags,
    work_queue_name: queueName,
    work_queue_id: deployment.workQueueId as WorkQueueId | null,
    work_pool_name: poolName,
    last_polled: deployment.lastPolled === null ? null : toWireTime(deployment.lastPolled as EpochMs),
    status: served || isPolled(deployment.lastPolled) ? "READY" : "NOT_READY",
  }));
}

/**
 * What a request or a stored deployment says of the details; null and absent mean the default, but a schema and pull steps
 * that are null stay so, as upstream.
 */
type Described = { readonly [K in keyof DeploymentDetails]?: DeploymentDetails[K] | null | undefined } & {
  readonly global_concurrency_limit?: { readonly id: string } | null;
};

/** What is stored, without what is the store's alone. */
function wireDetails({ global_concurrency_limit_id: _, ...details }: StoredDetails): DeploymentDetails {
  return { ...details, concurrency_limit: null };
}

function detailsOf(request: Described): StoredDetails {
  return {
    // Changed by `setDeploymentLimit` alone.
    global_concurrency_limit_id: request.global_concurrency_limit?.id ?? null,
    version: request.version ?? null,
    description: request.description ?? null,
    concurrency_limit: null,
    concurrency_options: request.concurrency_options ?? null,
    job_variables: request.job_variables ?? {},
    parameters: request.parameters ?? {},
    labels: request.labels ?? {},
    parameter_openapi_schema: request.parameter_openapi_schema === undefined ? {} : request.parameter_openapi_schema,
    path: request.path ?? null,
    pull_steps: request.pull_steps === undefined ? [] : request.pull_steps,
    entrypoint: request.entrypoint ?? null,
    storage_document_id: request.storage_document_id ?? null,
    infrastructure_document_id: request.infrastructure_document_id ?? null,
    created_by: request.created_by ?? null,
    updated_by: request.updated_by ?? null,
    enforce_parameter_schema: request.enforce_parameter_schema ?? true,
  };
}

/** What a request says. A null is said and stands for nothing, but job variables of null are not said, as upstream. */
function whatIsSaid<T extends object>(request: T): Partial<T> {
  const isSaid = ([key, value]: [string, unknown]) =>
    value !== undefined && !(key === "job_variables" && value === null);
  return Object.fromEntries(Object.entries(request).filter(isSaid)) as Partial<T>;
}
