/** Dormant runs whose time comes. */
import type { FlowRunId } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";

export interface SoonDueRun {
  readonly id: FlowRunId;
  readonly dueAt: EpochMs;
  /** Null for a run that waits in no pool. */
  readonly poolName: string | null;
  readonly queue: { readonly name: string; readonly priority: number };
}

const SOON_DUE = `SELECT flow_runs.id, next_scheduled_start_time AS due_at, work_pools.name AS pool_name,
    work_queues.name AS queue_name, work_queues.priority
  FROM flow_runs LEFT JOIN work_pools ON work_pools.id = flow_runs.work_pool_id
    LEFT JOIN work_queues ON work_queues.id = flow_runs.doc ->> '$.work_queue_id'
  WHERE dormant = 1 AND next_scheduled_start_time <= ?1 AND (next_scheduled_start_time, flow_runs.id) > (?2, ?3)
    AND (?4 IS NULL OR flow_runs.id IN (SELECT value FROM json_each(?4)))
  ORDER BY next_scheduled_start_time, flow_runs.id LIMIT ?5`;

type Row = {
  id: FlowRunId;
  due_at: EpochMs;
  pool_name: string | null;
  queue_name: string | null;
  priority: number | null;
};

/** By their time, those due until `until`. */
export async function soonDue(
  env: Env,
  until: EpochMs,
  page: {
    readonly ids: readonly FlowRunId[] | null;
    readonly after: { readonly dueAt: number; readonly id: string } | null;
    readonly limit: number;
  },
): Promise<SoonDueRun[]> {
  const { ids, after, limit } = page;
  const wanted = ids === null ? null : JSON.stringify(ids);
  const { results } = await env.DB.prepare(SOON_DUE)
    .bind(until, after?.dueAt ?? Number.MIN_SAFE_INTEGER, after?.id ?? "", wanted, limit)
    .all<Row>();
  return results.map((row) => ({
    id: row.id,
    dueAt: row.due_at,
    poolName: row.pool_name,
    queue: { name: row.queue_name ?? "default", priority: row.priority ?? 1 },
  }));
}
