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

/**
 * A condition for rows that have every tag of the JSON array in this parameter. Where no tag is wanted there is none: it
 * would read each row, where the index of states has all that is counted.
 */
const withTags = (tags: readonly string[], parameter: string) =>
  tags.length === 0
    ? ""
    : `AND NOT EXISTS (SELECT 1 FROM json_each(${parameter}) AS wanted
  WHERE wanted.value NOT IN (SELECT value FROM json_each(flow_runs.tags)))`;

type Tags = readonly string[];

const counts = (tags: Tags) => `SELECT state_type AS type, count(*) AS count FROM flow_runs
  WHERE expected_start_time BETWEEN ?1 AND ?2 ${withTags(tags, "?3")} GROUP BY state_type`;

const active = (tags: Tags) => `SELECT state_type AS type, state_name = 'Late' AS late, count(*) AS count FROM flow_runs
  WHERE state_type IN ('RUNNING', 'PENDING', 'SCHEDULED') ${withTags(tags, "?1")} GROUP BY state_type, late`;

/** Which runs is found first, without the rows of those that are not shown. */
const line = (tags: Tags, condition: string, order: string) => `WITH found AS MATERIALIZED (
    SELECT id FROM flow_runs WHERE ${condition} ${withTags(tags, "?1")} ORDER BY ${order} LIMIT ${LINES}
  )
  SELECT flow_runs.id, flow_runs.name, flows.name AS flow_name,
    deployment_id, state_type, state_name, expected_start_time, start_time
  FROM found CROSS JOIN flow_runs ON flow_runs.id = found.id LEFT JOIN flows ON flows.id = flow_runs.flow_id
  ORDER BY ${order}`;

const POOLS = `SELECT id, name, type, is_paused, concurrency_limit,
    (SELECT count(*) FROM workers WHERE work_pool_id = work_pools.id AND status = 'ONLINE') AS online,
    coalesce(active.running, 0) AS running, coalesce(active.late, 0) AS late
  FROM work_pools LEFT JOIN (
    SELECT work_pool_id, sum(state_type <> 'SCHEDULED') AS running, sum(state_name = 'Late') AS late FROM flow_runs
    WHERE state_type IN ('RUNNING', 'PENDING', 'CANCELLING', 'SCHEDULED') AND work_pool_id IS NOT NULL
    GROUP BY work_pool_id
  ) AS active ON active.work_pool_id = work_pools.id
  ORDER BY name LIMIT 200`;

/** Two indexes have it all: that of states says what ended and how, that of deployments whose it was. */
const failing = (tags: Tags) => `WITH ended AS MATERIALIZED (
    SELECT id, state_type IN ('FAILED', 'CRASHED') AS is_failed FROM flow_runs
    WHERE expected_start_time BETWEEN ?1 AND ?2 AND state_type IN ('COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED')
      ${withTags(tags, "?3")}
  ), counts AS MATERIALIZED (
    SELECT owned.deployment_id, sum(is_failed) AS failed, count(*) AS ended,
      max(CASE WHEN is_failed THEN ended.id END) AS last_failed
    FROM flow_runs AS owned CROSS JOIN ended ON ended.id = owned.id WHERE owned.deployment_id IS NOT NULL
    GROUP BY owned.deployment_id HAVING failed > 0
  )
  SELECT deployments.id, deployments.name, flows.name AS flow_name, failed, ended, last_failed
  FROM counts JOIN deployments ON deployments.id = counts.deployment_id JOIN flows ON flows.id = deployments.flow_id
  ORDER BY failed DESC, deployments.name LIMIT ${LINES}`;

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
  const db = env.DB;
  // A parameter that a statement does not have cannot be bound.
  const wanted = tags.length === 0 ? [] : [JSON.stringify(tags)];
  const [byType, now, running, next, pools, failed] = await db.batch([
    db.prepare(counts(tags)).bind(sinceMs, untilMs, ...wanted),
    db.prepare(active(tags)).bind(...wanted),
    db.prepare(line(tags, "state_type = 'RUNNING'", "start_time")).bind(...wanted),
    db.prepare(line(tags, "state_type = 'SCHEDULED'", "next_scheduled_start_time")).bind(...wanted),
    db.prepare(POOLS),
    db.prepare(failing(tags)).bind(sinceMs, untilMs, ...wanted),
  ]);
  const open = rowsOf<{ type: string; late: number; count: number }>(now);
  const sum = (matches: (row: { type: string; late: number }) => boolean) =>
    open.filter(matches).reduce((total, { count }) => total + count, 0);
  return {
    byState: Object.fromEntries(
      rowsOf<{ type: string | null; count: number }>(byType).flatMap(({ type, count }) =>
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
    failing_deployments: rowsOf<FailingRow>(failed).map(({ last_failed, ...row }) => ({
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
