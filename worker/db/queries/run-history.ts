/**
 * The history of runs, by the same algorithm for flow runs and task runs (upstream: server/api/run_history.py): runs fall
 * into buckets by the time at which they were to start, and are counted by state. At most 500 intervals are answered.
 */
import { and, type SQL, sql } from "drizzle-orm";
import type { FlowRunFilters } from "#protocol/filters";
import type { RunHistoryInterval, RunHistoryQuery } from "#protocol/run-history";
import type { StateType } from "#protocol/states";
import { type EpochMs, fromWireTime, toWireTime } from "#protocol/time";
import { flowRunsWhere, taskRunsWhere } from "../filters.ts";
import { openDb } from "../open.ts";
import { flowRuns, taskRuns } from "../schema/flow-runs.ts";

const MAX_INTERVALS = 500;

/** Which runs are counted, and what says whether one fits the filters. */
export interface RunTable {
  readonly table: typeof flowRuns | typeof taskRuns;
  where(filters: FlowRunFilters): SQL | undefined;
}

export const FLOW_RUN_TABLE: RunTable = { table: flowRuns, where: flowRunsWhere };
export const TASK_RUN_TABLE: RunTable = { table: taskRuns, where: taskRunsWhere };

/** One entry an interval, also for those without runs. */
export async function runHistory(
  env: Env,
  { table, where }: RunTable,
  query: RunHistoryQuery,
): Promise<RunHistoryInterval[]> {
  const start = fromWireTime(query.history_start);
  const intervalMs = query.history_interval_seconds * 1000;
  const count = Math.min(Math.ceil((fromWireTime(query.history_end) - start) / intervalMs), MAX_INTERVALS);
  if (count <= 0) return [];
  const now = Date.now();
  const expected = table.expectedStartTime;
  const bucket = sql<number>`CAST(floor((${expected} - ${start}) / ${intervalMs}) AS INTEGER)`;
  const rows = await openDb(env)
    .select({
      bucket,
      stateType: table.stateType,
      stateName: table.stateName,
      count: sql<number>`count(*)`,
      runTime: sql<number>`sum(max(0, ${runTimeSeconds(table, now)}))`,
      lateness: sql<number>`sum(max(0, ${latenessSeconds(table, now)}))`,
    })
    .from(table)
    .where(and(sql`${expected} >= ${start} AND ${expected} < ${start + count * intervalMs}`, where(query)))
    .groupBy(bucket, table.stateType, table.stateName);
  const intervals = Array.from({ length: count }, (_, index) => ({
    interval_start: toWireTime((start + index * intervalMs) as EpochMs),
    interval_end: toWireTime((start + (index + 1) * intervalMs) as EpochMs),
    states: [] as RunHistoryInterval["states"],
  }));
  for (const row of rows) {
    if (row.stateType === null) continue;
    intervals[row.bucket]?.states.push({
      state_type: row.stateType as StateType,
      state_name: row.stateName ?? "",
      count_runs: row.count,
      sum_estimated_run_time: row.runTime,
      sum_estimated_lateness: row.lateness,
    });
  }
  return intervals;
}

/** The running time so far: what is booked, and the time since the run was last started if it still runs. */
function runTimeSeconds(table: RunTable["table"], now: number): SQL {
  const { doc, stateType } = table;
  // Flow runs are many, and their index has both: a document is pages away.
  const isIndexed = "totalRunTime" in table;
  const booked = isIndexed ? sql`${table.totalRunTime}` : sql`(${doc} ->> '$.total_run_time')`;
  const since = isIndexed
    ? sql`${table.stateTimestamp} / 1000.0`
    : sql`(julianday(${doc} ->> '$.state.timestamp') - 2440587.5) * 86400.0`;
  return sql`${booked} + CASE WHEN ${stateType} = 'RUNNING' THEN ${now / 1000} - ${since} ELSE 0 END`;
}

/** How late a run started, or is by now if it has not started and has not ended. */
function latenessSeconds({ startTime, expectedStartTime, stateType }: RunTable["table"], now: number): SQL {
  return sql`CASE WHEN ${startTime} IS NOT NULL THEN (${startTime} - ${expectedStartTime}) / 1000.0
    WHEN ${stateType} IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED') THEN 0
    ELSE (${now} - ${expectedStartTime}) / 1000.0 END`;
}
