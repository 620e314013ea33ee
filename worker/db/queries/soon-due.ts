/** Dormant runs whose time comes. */
import type { FlowRunId } from "#protocol/ids";
import { DEFAULT_POLICY, type SchedulePolicy } from "#protocol/schedule-policies";
import type { EpochMs } from "#protocol/time";

export interface SoonDueRun {
  readonly id: FlowRunId;
  readonly dueAt: EpochMs;
  /** Null for a run that waits in no pool. */
  readonly poolName: string | null;
  readonly queue: { readonly name: string; readonly priority: number };
  readonly scheduleId: string | null;
  readonly catchUp: SchedulePolicy["catch_up"];
  readonly windowSeconds: number;
}

const SOON_DUE = `SELECT flow_runs.id, next_scheduled_start_time AS due_at, work_pools.name AS pool_name,
    work_queues.name AS queue_name, work_queues.priority, policy, flow_runs.doc ->> '$.created_by.id' AS schedule_id
  FROM flow_runs LEFT JOIN work_pools ON work_pools.id = flow_runs.work_pool_id
    LEFT JOIN work_queues ON work_queues.id = flow_runs.doc ->> '$.work_queue_id'
    LEFT JOIN schedule_policies ON schedule_id = flow_runs.doc ->> '$.created_by.id'
  WHERE dormant = 1 AND next_scheduled_start_time <= ?1 AND (next_scheduled_start_time, flow_runs.id) > (?2, ?3)
    AND (?4 IS NULL OR flow_runs.id IN (SELECT value FROM json_each(?4)))
  ORDER BY next_scheduled_start_time, flow_runs.id LIMIT ?5`;

type Row = {
  policy: string | null;
  schedule_id: string | null;
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
    scheduleId: row.schedule_id,
    ...catchUpOf(row.policy),
    id: row.id,
    dueAt: row.due_at,
    poolName: row.pool_name,
    queue: { name: row.queue_name ?? "default", priority: row.priority ?? 1 },
  }));
}

function catchUpOf(policy: string | null): Pick<SoonDueRun, "catchUp" | "windowSeconds"> {
  const { catch_up, catch_up_window } = policy === null ? DEFAULT_POLICY : (JSON.parse(policy) as SchedulePolicy);
  return { catchUp: catch_up, windowSeconds: catch_up_window };
}
