/** What waits for workers that poll, and that they did. */
import type { FlowRun } from "#protocol/flow-runs";
import type { DeploymentId, WorkPoolId, WorkQueueId } from "#protocol/ids";
import type { WaitingFlowRun } from "#protocol/polling";
import { fromWireTime, type WireTime } from "#protocol/time";

/** A poll is written down at most this often: polls come every few seconds, and rows cost money. */
const POLL_NOTED_MS = 20_000;

export interface Poll {
  readonly scheduledBefore: WireTime | null;
  readonly scheduledAfter: WireTime | null;
  readonly limit: number;
}

/**
 * Runs that wait in the queues of a pool. A paused queue gives none, and one with a limit no more than its free slots,
 * as D1 knows them: who gets a slot is decided when PENDING is proposed.
 */
const WAITING = `
  WITH queues AS (
    SELECT id, priority, CASE WHEN concurrency_limit IS NULL THEN NULL ELSE max(0, concurrency_limit - (
      SELECT count(*) FROM flow_runs
      WHERE work_pool_id = ?1 AND state_type IN ('RUNNING', 'PENDING') AND doc ->> '$.work_queue_id' = work_queues.id
    )) END AS free
    FROM work_queues
    WHERE work_pool_id = ?1 AND is_paused = 0 AND (?2 IS NULL OR id IN (SELECT value FROM json_each(?2)))
  ), waiting AS (
    SELECT flow_runs.doc, queues.id AS queue_id, queues.priority, queues.free, next_scheduled_start_time AS due,
      row_number() OVER (PARTITION BY queues.id ORDER BY next_scheduled_start_time, flow_runs.id) AS rank
    FROM flow_runs JOIN queues ON flow_runs.doc ->> '$.work_queue_id' = queues.id
    WHERE work_pool_id = ?1 AND state_type = 'SCHEDULED'
      AND (?3 IS NULL OR next_scheduled_start_time <= ?3) AND (?4 IS NULL OR next_scheduled_start_time >= ?4)
      AND coalesce(flow_runs.doc ->> '$.empirical_policy.retry_type', '') <> 'in_process'
  )
  SELECT doc, queue_id FROM waiting WHERE free IS NULL OR rank <= free ORDER BY priority, due LIMIT ?5`;

export async function waitingInPool(
  env: Env,
  pool: { readonly id: WorkPoolId; readonly concurrency_limit: number | null },
  queues: readonly WorkQueueId[] | null,
  poll: Poll,
): Promise<WaitingFlowRun[]> {
  const limit = Math.min(poll.limit, await freeSlots(env, pool));
  const { results } = await env.DB.prepare(WAITING)
    .bind(
      pool.id,
      queues === null ? null : JSON.stringify(queues),
      poll.scheduledBefore === null ? null : fromWireTime(poll.scheduledBefore),
      poll.scheduledAfter === null ? null : fromWireTime(poll.scheduledAfter),
      limit,
    )
    .all<{ doc: string; queue_id: WorkQueueId }>();
  return results.map(({ doc, queue_id }) => ({
    work_pool_id: pool.id,
    work_queue_id: queue_id,
    flow_run: JSON.parse(doc) as FlowRun,
  }));
}

async function freeSlots(
  env: Env,
  pool: { readonly id: WorkPoolId; readonly concurrency_limit: number | null },
): Promise<number> {
  if (pool.concurrency_limit === null) return Number.MAX_SAFE_INTEGER;
  const row = await env.DB.prepare(
    "SELECT count(*) AS used FROM flow_runs WHERE work_pool_id = ? AND state_type IN ('RUNNING', 'PENDING')",
  )
    .bind(pool.id)
    .first<{ used: number }>();
  return Math.max(0, pool.concurrency_limit - (row?.used ?? 0));
}

/** Notes that queues were polled, with the deployments whose runs they hold. */
export async function notePoolPoll(env: Env, queues: readonly WorkQueueId[]): Promise<void> {
  const now = Date.now();
  const ids = JSON.stringify(queues);
  await env.DB.batch(
    [
      "UPDATE work_queues SET last_polled = ?1 WHERE id IN (SELECT value FROM json_each(?2)) AND coalesce(last_polled, 0) < ?3",
      "UPDATE deployments SET last_polled = ?1 WHERE work_queue_id IN (SELECT value FROM json_each(?2)) AND coalesce(last_polled, 0) < ?3",
    ].map((statement) => env.DB.prepare(statement).bind(now, ids, now - POLL_NOTED_MS)),
  );
}

/** Notes that the runs of deployments were asked for by a process that serves them. */
export async function noteDeploymentPoll(env: Env, ids: readonly DeploymentId[]): Promise<void> {
  const now = Date.now();
  await env.DB.prepare(
    "UPDATE deployments SET last_polled = ?1 WHERE id IN (SELECT value FROM json_each(?2)) AND coalesce(last_polled, 0) < ?3",
  )
    .bind(now, JSON.stringify(ids), now - POLL_NOTED_MS)
    .run();
}
