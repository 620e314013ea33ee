/** Counts over the copies of task runs. */
import { and, type SQL, sql } from "drizzle-orm";
import type { FlowRunFilters } from "#protocol/filters";
import { TERMINAL_STATES } from "#protocol/states";
import { fromWireTime } from "#protocol/time";
import { type CountByState, noneByState, type TaskRunOutcomes } from "#protocol/ui-task-runs";
import { oneOf, taskRunsWhere } from "../filters.ts";
import { openDb } from "../open.ts";
import { taskRuns } from "../schema/flow-runs.ts";

const PARTS = 20;
const MINUTE_MS = 60_000;

export async function countByState(env: Env, filters: FlowRunFilters): Promise<CountByState> {
  const counts = noneByState();
  const rows = await openDb(env)
    .select({ type: taskRuns.stateType, count: sql<number>`count(*)` })
    .from(taskRuns)
    .where(taskRunsWhere(filters))
    .groupBy(taskRuns.stateType);
  for (const { type, count } of rows) if (type !== null) counts[type] = count;
  return counts;
}

/** By when they started, from the minute in which the filter's span begins to the end of the one in which it ends. */
export async function countOutcomes(env: Env, filters: FlowRunFilters, now: number): Promise<TaskRunOutcomes[]> {
  const span = filters.task_runs?.start_time;
  const start = wholeMinute(span?.after_ ? fromWireTime(span.after_) : now);
  const end = wholeMinute(span?.before_ ? fromWireTime(span.before_) : now) + MINUTE_MS;
  const outcomes = Array.from({ length: PARTS }, () => ({ completed: 0, failed: 0 }));
  const part = sql<number>`CAST(floor((${taskRuns.startTime} - ${start}) / ${(end - start) / PARTS}) AS INTEGER)`;
  const failed = sql`${taskRuns.stateType} IN ('FAILED', 'CRASHED')`;
  const rows = await openDb(env)
    .select({ part, failed: sum(failed), completed: sum(sql`NOT (${failed})`) })
    .from(taskRuns)
    .where(and(taskRunsWhere(filters), oneOf(taskRuns.stateType, [...TERMINAL_STATES])))
    .groupBy(part);
  for (const row of rows) {
    if (outcomes[row.part]) outcomes[row.part] = { completed: row.completed, failed: row.failed };
  }
  return outcomes;
}

function sum(condition: SQL): SQL<number> {
  return sql<number>`sum(CASE WHEN ${condition} THEN 1 ELSE 0 END)`;
}

function wholeMinute(at: number): number {
  return Math.floor(at / MINUTE_MS) * MINUTE_MS;
}
