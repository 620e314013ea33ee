import { and, asc, eq, not, type SQL, sql } from "drizzle-orm";
import type { z } from "zod";
import type { WorkerFilter, WorkPoolFilter, WorkQueueFilter } from "#protocol/filters";
import type { WorkPoolId, WorkQueueId } from "#protocol/ids";
import { SPANS } from "#protocol/limits";
import { HTTP_POOL_TYPE } from "#protocol/push";
import { type EpochMs, toWireTime } from "#protocol/time";
import type {
  Worker,
  WorkerHeartbeat,
  WorkPool,
  WorkPoolCreate,
  WorkPoolUpdate,
  WorkQueue,
  WorkQueueCreate,
} from "#protocol/work-pools";
import { newId } from "../../new-id.ts";
import { oneOf, workerCondition, workPoolCondition, workQueueCondition } from "../filters.ts";
import { openDb } from "../open.ts";
import { deployments } from "../schema/deployments.ts";
import { pushSecrets } from "../schema/push-secrets.ts";
import { workers, workPools, workQueues } from "../schema/work-pools.ts";
import { violatesUnique } from "../unique.ts";
import { activeSlots } from "./slot-holders.ts";

/** Upstream's word for a pool whose type nobody gave. */
const DEFAULT_TYPE = "process";
const DEFAULT_QUEUE = "default";
/** Upstream's word for a worker that does not say how often it shows itself. */
const DEFAULT_HEARTBEAT_SECONDS = 30;

export interface Page {
  readonly limit: number;
  readonly offset: number;
}

/** Makes a pool with its default queue; null when the name is taken. */
export async function insertWorkPool(env: Env, pool: WorkPoolCreate): Promise<WorkPool | null> {
  const db = openDb(env);
  const now = Date.now();
  const id = newId();
  const queueId = newId();
  const row: typeof workPools.$inferSelect = {
    id,
    name: pool.name,
    type: pool.type ?? DEFAULT_TYPE,
    description: pool.description ?? null,
    isPaused: pool.is_paused ?? false,
    concurrencyLimit: pool.concurrency_limit ?? null,
    defaultQueueId: queueId,
    baseJobTemplate: pool.base_job_template ?? {},
    storageConfiguration: pool.storage_configuration ?? {},
    created: now,
    updated: now,
  };
  try {
    await db.batch([
      db.insert(workPools).values(row),
      db.insert(workQueues).values({
        id: queueId,
        workPoolId: id,
        name: DEFAULT_QUEUE,
        description: "The work pool's default queue.",
        created: now,
        updated: now,
      }),
    ]);
  } catch (error) {
    // The batch is one transaction: a name that is taken leaves no queue behind.
    if (violatesUnique(error, "work_pools.name")) return null;
    throw error;
  }
  return toPool(row, 0);
}

/** Slots in use; null, as upstream, for a pool without a limit. */
const ACTIVE = sql<
  number | null
>`CASE WHEN work_pools.concurrency_limit IS NOT NULL THEN (SELECT count(*) FROM flow_runs
  WHERE flow_runs.state_type IN ('PENDING', 'RUNNING', 'CANCELLING') AND flow_runs.work_pool_id = work_pools.id) END`;
const ONLINE = sql<number>`(SELECT count(*) FROM workers WHERE workers.work_pool_id = work_pools.id AND workers.status = 'ONLINE')`;

async function selectPools(env: Env, where: SQL | undefined, page: Page): Promise<WorkPool[]> {
  const rows = await openDb(env)
    .select({ pool: workPools, online: ONLINE, active: ACTIVE })
    .from(workPools)
    .where(where)
    .orderBy(asc(workPools.name))
    .limit(page.limit)
    .offset(page.offset);
  return rows.map(({ pool, online, active }) => ({ ...toPool(pool, online), active_slots: active }));
}

export async function workPoolByName(env: Env, name: string): Promise<WorkPool | null> {
  return (await selectPools(env, eq(workPools.name, name), { limit: 1, offset: 0 }))[0] ?? null;
}

export function listWorkPools(env: Env, filter: z.infer<typeof WorkPoolFilter>, page: Page): Promise<WorkPool[]> {
  return selectPools(env, workPoolCondition(filter), page);
}

export async function countWorkPools(env: Env, filter: z.infer<typeof WorkPoolFilter>): Promise<number> {
  return openDb(env).$count(workPools, workPoolCondition(filter));
}

/** The pool after the change; null when there is none of this name. */
export async function changeWorkPool(env: Env, name: string, change: WorkPoolUpdate): Promise<WorkPool | null> {
  const [row] = await openDb(env)
    .update(workPools)
    .set({
      ...(change.description !== undefined ? { description: change.description } : {}),
      ...(change.is_paused != null ? { isPaused: change.is_paused } : {}),
      ...(change.concurrency_limit !== undefined ? { concurrencyLimit: change.concurrency_limit } : {}),
      ...(change.base_job_template != null ? { baseJobTemplate: change.base_job_template } : {}),
      ...(change.storage_configuration != null ? { storageConfiguration: change.storage_configuration } : {}),
      updated: Date.now(),
    })
    .where(eq(workPools.name, name))
    .returning({ id: workPools.id });
  return row ? workPoolByName(env, name) : null;
}

export async function deleteWorkPool(env: Env, pool: WorkPool): Promise<void> {
  const db = openDb(env);
  await db.batch([
    db.delete(workers).where(eq(workers.workPoolId, pool.id)),
    db.delete(workQueues).where(eq(workQueues.workPoolId, pool.id)),
    db.delete(workPools).where(eq(workPools.id, pool.id)),
    db.delete(pushSecrets).where(eq(pushSecrets.workPoolId, pool.id)),
    db.update(deployments).set({ workPoolId: null, workQueueId: null }).where(eq(deployments.workPoolId, pool.id)),
  ]);
}

/** Names of the pools that have a worker which D1 believes to be online. */
export async function poolsWithWorkersOnline(env: Env): Promise<string[]> {
  const rows = await openDb(env)
    .selectDistinct({ name: workPools.name })
    .from(workPools)
    .innerJoin(workers, eq(workers.workPoolId, workPools.id))
    .where(eq(workers.status, "ONLINE"));
  return rows.map((row) => row.name);
}

/** Null when the pool has a queue of this name. */
export async function insertWorkQueue(env: Env, pool: WorkPool, queue: WorkQueueCreate): Promise<WorkQueue | null> {
  const now = Date.now();
  const [row] = await openDb(env)
    .insert(workQueues)
    .values({
      id: newId(),
      workPoolId: pool.id,
      name: queue.name,
      description: queue.description ?? "",
      // Without a priority it comes after all others of its pool, as upstream.
      priority:
        queue.priority ??
        sql`(SELECT coalesce(max(priority), 0) + 1 FROM work_queues AS others WHERE others.work_pool_id = ${pool.id})`,
      isPaused: queue.is_paused ?? false,
      concurrencyLimit: queue.concurrency_limit ?? null,
      created: now,
      updated: now,
    })
    .onConflictDoNothing()
    .returning();
  if (row && queue.priority != null) await makeRoom(env, pool, row.id, queue.priority);
  return row ? toQueue(row, pool) : null;
}

/** Two queues of a pool do not share a priority: those at or behind one that is taken move back by one. */
async function makeRoom(env: Env, pool: WorkPool, id: string, priority: number): Promise<void> {
  await env.DB.prepare(
    `UPDATE work_queues SET priority = moved.priority, updated = ?4 FROM (
       SELECT id, max(priority, ?3 + row_number() OVER (ORDER BY priority, id)) AS priority FROM work_queues
       WHERE work_pool_id = ?1 AND id <> ?2 AND priority >= ?3
     ) AS moved WHERE work_queues.id = moved.id AND work_queues.priority < moved.priority`,
  )
    .bind(pool.id, id, priority, Date.now())
    .run();
}

export async function workQueueByName(env: Env, pool: WorkPool, name: string): Promise<WorkQueue | null> {
  const rows = await openDb(env).select().from(workQueues).where(ofPool(pool, name));
  const [queue] = await withActiveSlots(
    env,
    rows.map((row) => toQueue(row, pool)),
  );
  return queue ?? null;
}

export async function listWorkQueues(
  env: Env,
  pool: WorkPool,
  filter: WorkQueueFilter,
  page: Page,
): Promise<WorkQueue[]> {
  const rows = await openDb(env)
    .select()
    .from(workQueues)
    .where(and(eq(workQueues.workPoolId, pool.id), workQueueCondition(filter)))
    .orderBy(asc(workQueues.priority), asc(workQueues.name))
    .limit(page.limit)
    .offset(page.offset);
  return withActiveSlots(
    env,
    rows.map((row) => toQueue(row, pool)),
  );
}

/** Queues that have a limit say how many of its slots are in use. */
export async function withActiveSlots(env: Env, queues: WorkQueue[]): Promise<WorkQueue[]> {
  const limited = queues.filter((queue) => queue.concurrency_limit !== null).map(({ id }) => id);
  const used = await activeSlots(env, limited);
  return queues.map((queue) =>
    queue.concurrency_limit === null ? queue : { ...queue, active_slots: used.get(queue.id) ?? 0 },
  );
}

export async function countWorkQueues(env: Env, pool: WorkPool): Promise<number> {
  return openDb(env).$count(workQueues, eq(workQueues.workPoolId, pool.id));
}

export async function changeWorkQueue(
  env: Env,
  pool: WorkPool,
  name: string,
  change: { readonly [K in keyof WorkQueueCreate]?: WorkQueueCreate[K] | undefined },
): Promise<"changed" | "unknown" | "name taken"> {
  try {
    const [row] = await openDb(env)
      .update(workQueues)
      .set({
        ...(change.name !== undefined ? { name: change.name } : {}),
        ...(change.description != null ? { description: change.description } : {}),
        ...(change.is_paused != null ? { isPaused: change.is_paused } : {}),
        ...(change.concurrency_limit !== undefined ? { concurrencyLimit: change.concurrency_limit } : {}),
        ...(change.priority != null ? { priority: change.priority } : {}),
        updated: Date.now(),
      })
      .where(ofPool(pool, name))
      .returning({ id: workQueues.id });
    if (row && change.priority != null) await makeRoom(env, pool, row.id, change.priority);
    return row ? "changed" : "unknown";
  } catch (error) {
    if (violatesUnique(error, "work_queues.work_pool_id")) return "name taken";
    throw error;
  }
}

export async function deleteWorkQueue(env: Env, pool: WorkPool, name: string): Promise<boolean> {
  const [row] = await openDb(env).delete(workQueues).where(ofPool(pool, name)).returning({ id: workQueues.id });
  return row !== undefined;
}

export async function listWorkers(env: Env, pool: WorkPool, filter: WorkerFilter, page: Page): Promise<Worker[]> {
  const rows = await openDb(env)
    .select()
    .from(workers)
    .where(and(eq(workers.workPoolId, pool.id), workerCondition(filter)))
    .orderBy(asc(workers.name))
    .limit(page.limit)
    .offset(page.offset);
  return rows.map((row) => ({
    id: row.id,
    created: toWireTime(row.created as EpochMs),
    updated: toWireTime(row.updated as EpochMs),
    name: row.name,
    work_pool_id: pool.id,
    last_heartbeat_time: row.lastHeartbeatTime === null ? null : toWireTime(row.lastHeartbeatTime as EpochMs),
    heartbeat_interval_seconds: row.heartbeatIntervalSeconds,
    status: row.status,
  }));
}

export async function deleteWorker(env: Env, pool: WorkPool, name: string): Promise<boolean> {
  const [row] = await openDb(env)
    .delete(workers)
    .where(and(eq(workers.workPoolId, pool.id), eq(workers.name, name)))
    .returning({ id: workers.id });
  return row !== undefined;
}

/** Records that a worker was heard of just now. */
export async function recordHeartbeat(env: Env, pool: WorkPool, beat: WorkerHeartbeat): Promise<void> {
  const now = Date.now();
  const seen = {
    status: "ONLINE" as const,
    lastHeartbeatTime: now,
    heartbeatIntervalSeconds: beat.heartbeat_interval_seconds ?? DEFAULT_HEARTBEAT_SECONDS,
    updated: now,
  };
  await openDb(env)
    .insert(workers)
    .values({ id: newId(), workPoolId: pool.id, name: beat.name, type: pool.type, created: now, ...seen })
    .onConflictDoUpdate({ target: [workers.workPoolId, workers.name], set: seen });
}

/**
 * Marks workers offline that missed three heartbeats. Those whose names are in `connected` are left alone: a worker
 * with a channel shows itself to the pool's object, not here.
 */
export async function markSilentWorkers(env: Env, poolName: string, connected: readonly string[]): Promise<void> {
  const now = Date.now();
  const span = sql`${1_000 * SPANS.missedHeartbeats} * coalesce(${workers.heartbeatIntervalSeconds}, ${DEFAULT_HEARTBEAT_SECONDS})`;
  await openDb(env)
    .update(workers)
    .set({ status: "OFFLINE", updated: now })
    .where(
      and(
        sql`${workers.workPoolId} = (SELECT ${workPools.id} FROM ${workPools} WHERE ${workPools.name} = ${poolName})`,
        eq(workers.status, "ONLINE"),
        sql`coalesce(${workers.lastHeartbeatTime}, 0) + ${span} < ${now}`,
        not(oneOf(workers.name, connected)),
      ),
    );
}

function ofPool(pool: WorkPool, name: string): SQL | undefined {
  return and(eq(workQueues.workPoolId, pool.id), eq(workQueues.name, name));
}

/** Pools of this type have agents, which no heartbeat tells of, and so no status. */
const AGENTS = "prefect-agent";
/** What a pool says of its storage unless something was said. */
const NO_STORAGE = { bundle_upload_step: null, bundle_execution_step: null, default_result_storage_block_id: null };

function toPool(row: typeof workPools.$inferSelect, online: number): WorkPool {
  return {
    id: row.id as WorkPoolId,
    created: toWireTime(row.created as EpochMs),
    updated: toWireTime(row.updated as EpochMs),
    name: row.name,
    description: row.description,
    type: row.type,
    base_job_template: row.baseJobTemplate,
    is_paused: row.isPaused,
    concurrency_limit: row.concurrencyLimit,
    status: row.type === AGENTS ? null : row.isPaused ? "PAUSED" : isServed(row, online) ? "READY" : "NOT_READY",
    default_queue_id: row.defaultQueueId as WorkQueueId,
    storage_configuration: { ...NO_STORAGE, ...row.storageConfiguration },
    active_slots: row.concurrencyLimit === null ? null : 0,
  };
}

/** Runs that are pushed need nobody to be online. */
function isServed({ type }: typeof workPools.$inferSelect, online: number): boolean {
  return type === HTTP_POOL_TYPE || online > 0;
}

/** Whether somebody asked for runs within the last minute; upstream's span. */
export function isPolled(lastPolled: number | null): boolean {
  return lastPolled !== null && lastPolled > Date.now() - 60_000;
}

/** A queue as the API answers it. */
export function toQueue(row: typeof workQueues.$inferSelect, pool: WorkPool): WorkQueue {
  return {
    id: row.id as WorkQueueId,
    created: toWireTime(row.created as EpochMs),
    updated: toWireTime(row.updated as EpochMs),
    name: row.name,
    description: row.description,
    is_paused: row.isPaused,
    concurrency_limit: row.concurrencyLimit,
    priority: row.priority,
    work_pool_id: pool.id,
    work_pool_name: pool.name,
    filter: null,
    last_polled: row.lastPolled === null ? null : toWireTime(row.lastPolled as EpochMs),
    status: row.isPaused ? "PAUSED" : isPolled(row.lastPolled) || pool.status === "READY" ? "READY" : "NOT_READY",
    active_slots: row.concurrencyLimit === null ? null : 0,
  };
}
