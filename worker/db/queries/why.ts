/** What D1 knows of runs that wait: the letters that were given up, and workers that poll. */
import type { DeploymentId, FlowRunId } from "#protocol/ids";
import { type EpochMs, toWireTime, type WireTime } from "#protocol/time";

/** The newest message about the run that the dispatch queue gave up; null when there is none. */
export async function deadLetterOf(
  env: Env,
  id: FlowRunId,
): Promise<{ id: string; attempts: number; created: WireTime } | null> {
  const row = await env.DB.prepare(
    `SELECT id, attempts, created FROM dead_letters
     WHERE queue = 'dispatch' AND json_extract(body, '$.flow_run_id') = ? ORDER BY created DESC LIMIT 1`,
  )
    .bind(id)
    .first<{ id: string; attempts: number; created: EpochMs }>();
  return row && { id: row.id, attempts: row.attempts, created: toWireTime(row.created) };
}

/** Names of the workers of a pool that showed themselves lately; null when there is no such pool. */
export async function workersOnline(env: Env, poolName: string): Promise<string[] | null> {
  const { results } = await env.DB.prepare(
    `SELECT workers.name AS name FROM work_pools LEFT JOIN workers
       ON workers.work_pool_id = work_pools.id AND workers.status = 'ONLINE'
     WHERE work_pools.name = ? ORDER BY workers.name LIMIT 50`,
  )
    .bind(poolName)
    .all<{ name: string | null }>();
  return results.length === 0 ? null : results.flatMap(({ name }) => (name === null ? [] : [name]));
}

/** When a process that serves the deployment asked for its runs last. */
export async function lastPolled(env: Env, id: DeploymentId): Promise<WireTime | null> {
  const row = await env.DB.prepare("SELECT last_polled FROM deployments WHERE id = ?")
    .bind(id)
    .first<{ last_polled: EpochMs | null }>();
  return row?.last_polled == null ? null : toWireTime(row.last_polled);
}
