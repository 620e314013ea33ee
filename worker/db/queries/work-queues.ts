/** Queries over work queues of any pool. */
import { asc, eq, type SQL, sql } from "drizzle-orm";
import type { WorkQueueFilter } from "#protocol/filters";
import type { WorkQueueId } from "#protocol/ids";
import type { WorkPool, WorkQueue } from "#protocol/work-pools";
import { AGENT_POOL, type WorkQueueStatus } from "#protocol/work-queues";
import { workQueueCondition } from "../filters.ts";
import { openDb } from "../open.ts";
import { flowRuns } from "../schema/flow-runs.ts";
import { workPools, workQueues } from "../schema/work-pools.ts";
import {
  insertWorkPool,
  insertWorkQueue,
  listWorkPools,
  type Page,
  toQueue,
  withActiveSlots,
  workPoolByName,
  workQueueByName,
} from "./work-pools.ts";

const ALL: Page = { limit: 200, offset: 0 };

export async function workQueueById(env: Env, id: WorkQueueId): Promise<WorkQueue | null> {
  return (await select(env, eq(workQueues.id, id), { limit: 1, offset: 0 }))[0] ?? null;
}

export function listAllWorkQueues(env: Env, filter: WorkQueueFilter, page: Page): Promise<WorkQueue[]> {
  return select(env, workQueueCondition(filter), page);
}

/** The pool of queues that name none, made when it is first needed. */
export async function agentPool(env: Env): Promise<WorkPool> {
  const known = await workPoolByName(env, AGENT_POOL);
  if (known) return known;
  const made = await insertWorkPool(env, { name: AGENT_POOL, type: "prefect-agent" });
  // Somebody else has made it in the meantime.
  return made ?? agentPool(env);
}

/** The pool's queue of this name, made when it is not there. */
export async function ensureWorkQueue(env: Env, pool: WorkPool, name: string): Promise<WorkQueue> {
  const known = (await workQueueByName(env, pool, name)) ?? (await insertWorkQueue(env, pool, { name }));
  // Made by somebody else between the two statements.
  return known ?? ensureWorkQueue(env, pool, name);
}

/** Whether the runs of a queue are taken in time: none is late. */
export async function workQueueStatus(env: Env, queue: WorkQueue): Promise<WorkQueueStatus> {
  const late = await openDb(env).$count(
    flowRuns,
    sql`${flowRuns.stateType} = 'SCHEDULED' AND ${flowRuns.stateName} = 'Late'
      AND ${flowRuns.doc} ->> '$.work_queue_id' = ${queue.id}`,
  );
  return {
    healthy: late === 0 && queue.status === "READY",
    late_runs_count: late,
    last_polled: queue.last_polled,
    health_check_policy: { maximum_late_runs: 0, maximum_seconds_since_last_polled: 60 },
  };
}

async function select(env: Env, where: SQL | undefined, page: Page): Promise<WorkQueue[]> {
  const rows = await openDb(env)
    .select({ queue: workQueues, pool: workPools.name })
    .from(workQueues)
    .innerJoin(workPools, eq(workPools.id, workQueues.workPoolId))
    .where(where)
    .orderBy(asc(workQueues.name), asc(workQueues.id))
    .limit(page.limit)
    .offset(page.offset);
  const names = [...new Set(rows.map(({ pool }) => pool))];
  const pools = names.length === 0 ? [] : await listWorkPools(env, { name: { any_: names } }, ALL);
  const byName = new Map(pools.map((pool) => [pool.name, pool]));
  const queues = rows.flatMap(({ queue, pool: name }) => {
    const pool = byName.get(name);
    return pool ? [toQueue(queue, pool)] : [];
  });
  return withActiveSlots(env, queues);
}
