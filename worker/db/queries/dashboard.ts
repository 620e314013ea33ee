/** The counts and short lists of the dashboard. Each reads an index range of `flow_runs`, or a table that is small. */
import type { Dashboard } from "#protocol/dashboard";
import type { DeploymentId, FlowRunId, WorkPoolId } from "#protocol/ids";
import { HTTP_POOL_TYPE } from "#protocol/push";
import { type EpochMs, toWireTime } from "#protocol/time";

const LINES = 10;

/** Which runs: those with all of the tags, to start within the span of time. */
export interface DashboardQuery {
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly tags: readonly string[];
}

/** True for rows that have every tag of the JSON array in this parameter. */
const hasTags = (parameter: string) => `NOT EXISTS (SELECT 1 FROM json_each(${parameter}) AS wanted
  WHERE wanted.value NOT IN (SELECT value FROM json_each(flow_runs.tags)))`;

const COUNTS = `SELECT state_type AS type, count(*) AS count FROM flow_runs
  WHERE expected_start_time BETWEEN ?1 AND ?2 AND ${hasTags("?3")} GROUP BY state_type`;

const NOW = `SELECT state_type AS type, state_name = 'Late' AS late, count(*) AS count FROM flow_runs
  WHERE state_type IN ('RUNNING', 'PENDING', 'SCHEDULED') AND ${hasTags("?1")} GROUP BY state_type, late`;

const line = (condition: string, order: string) => `SELECT flow_runs.id, flow_runs.name, flows.name AS flow_name,
    deployment_id, state_type, state_name, expected_start_time, start_time
  FROM flow_runs LEFT JOIN flows ON flows.id = flow_runs.flow_id
  WHERE ${condition} AND ${hasTags("?1")} ORDER BY ${order} LIMIT ${LINES}`;

const POOLS = `SELECT id, name, type, is_paused, concurrency_limit,
    (SELECT count(*) FROM workers WHERE work_pool_id = work_pools.id AND status = 'ONLINE') AS online,
    coalesce(active.running, 0) AS running, coalesce(active.late, 0) AS late
  FROM work_pools LEFT JOIN (
    SELECT work_pool_id, sum(state_type <> 'SCHEDULED') AS running, sum(state_name = 'Late') AS late FROM flow_runs
    WHERE state_type IN ('RUNNING', 'PENDING', 'CANCELLING', 'SCHEDULED') AND work_pool_id IS NOT NULL
    GROUP BY work_pool_id
  ) AS active ON active.work_pool_id = work_pools.id
  ORDER BY name LIMIT 200`;

const FAILING = `SELECT deployments.id, deployments.name, flows.name AS flow_name,
    sum(state_type IN ('FAILED', 'CRASHED')) AS failed, count(*) AS ended,
    max(CASE WHEN state_type IN ('FAILED', 'CRASHED') THEN flow_runs.id END) AS last_failed
  FROM flow_runs JOIN deployments ON deployments.id = flow_runs.deployment_id
    JOIN flows ON flows.id = deployments.flow_id
  WHERE expected_start_time BETWEEN ?1 AND ?2 AND state_type IN ('COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED')
    AND ${hasTags("?3")}
  GROUP BY deployments.id HAVING failed > 0 ORDER BY failed DESC, deployments.name LIMIT ${LINES}`;

interface Line {
  readonly id: FlowRunId;
  readonly name: string;
  readonly flow_name: string | null;
  readonly deployment_id: DeploymentId | null;
  readonly state_type: Dashboard["now"]["runs"][number]["state_type"];
  readonly state_name: string | null;
  readonly expected_start_time: number | null;
  readonly start_time: number | null;
}
interface PoolRow {
  readonly id: WorkPoolId;
  readonly name: string;
  readonly type: string;
  readonly is_paused: number;
  readonly concurrency_limit: number | null;
  readonly online: number;
  readonly running: number;
  readonly late: number;
}
interface FailingRow {
  readonly id: DeploymentId;
  readonly name: string;
  readonly flow_name: string;
  readonly failed: number;
  readonly ended: number;
  readonly last_failed: FlowRunId;
}

type Parts = Pick<Dashboard, "now" | "work_pools" | "failing_deployments"> & {
  readonly byState: Record<string, number>;
};

/** All in one batch: one round trip, and one moment. */
export async function dashboardParts(env: Env, { sinceMs, untilMs, tags }: DashboardQuery): Promise<Parts> {
  const wanted = JSON.stringify(tags);
  const db = env.DB;
  const [counts, now, running, next, pools, failing] = await db.batch([
    db.prepare(COUNTS).bind(sinceMs, untilMs, wanted),
    db.prepare(NOW).bind(wanted),
    db.prepare(line("state_type = 'RUNNING'", "start_time")).bind(wanted),
    db.prepare(line("state_type = 'SCHEDULED'", "next_scheduled_start_time")).bind(wanted),
    db.prepare(POOLS),
    db.prepare(FAILING).bind(sinceMs, untilMs, wanted),
  ]);
  const active = rowsOf<{ type: string; late: number; count: number }>(now);
  const sum = (matches: (row: { type: string; late: number }) => boolean) =>
    active.filter(matches).reduce((total, { count }) => total + count, 0);
  return {
    byState: Object.fromEntries(
      rowsOf<{ type: string | null; count: number }>(counts).flatMap(({ type, count }) =>
        type ? [[type, count]] : [],
      ),
    ),
    now: {
      running: sum(({ type }) => type === "RUNNING"),
      pending: sum(({ type }) => type === "PENDING"),
      scheduled: sum(({ type }) => type === "SCHEDULED"),
      late: sum(({ late }) => late === 1),
      runs: rowsOf<Line>(running).map(toLine),
      next: rowsOf<Line>(next).map(toLine),
    },
    work_pools: rowsOf<PoolRow>(pools).map((pool) => ({
      id: pool.id,
      name: pool.name,
      status: pool.is_paused ? "PAUSED" : pool.online > 0 || pool.type === HTTP_POOL_TYPE ? "READY" : "NOT_READY",
      workers_online: pool.online,
      running: pool.running,
      late: pool.late,
      concurrency_limit: pool.concurrency_limit,
    })),
    failing_deployments: rowsOf<FailingRow>(failing).map(({ last_failed, ...row }) => ({
      ...row,
      last_failed_run_id: last_failed,
    })),
  };
}

function rowsOf<T>(result: D1Result | undefined): T[] {
  return (result?.results ?? []) as T[];
}

function toLine(row: Line): Dashboard["now"]["runs"][number] {
  return { ...row, expected_start_time: wire(row.expected_start_time), start_time: wire(row.start_time) };
}

function wire(at: number | null) {
  return at === null ? null : toWireTime(at as EpochMs);
}
