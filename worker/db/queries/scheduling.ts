/** What the scheduler reads and writes: schedules that need runs, dormant runs, and how far it came. */
import type { DeploymentDetails, Schedule } from "#protocol/deployments";
import type { FlowRun, JsonObject, Labels } from "#protocol/flow-runs";
import type { DeploymentId, FlowId, FlowRunId, WorkPoolId, WorkQueueId } from "#protocol/ids";
import type { SchedulePolicy } from "#protocol/schedule-policies";
import { type EpochMs, fromWireTime } from "#protocol/time";

/** A schedule with all that its runs are made of. */
export interface ScheduleToFollow {
  readonly id: string;
  readonly slug: string | null;
  readonly schedule: Schedule;
  readonly parameters: JsonObject;
  readonly deploymentId: DeploymentId;
  readonly flowId: FlowId;
  readonly tags: readonly string[];
  readonly details: DeploymentDetails;
  readonly versionNumber: number;
  readonly flowLabels: Labels;
  readonly pool: { readonly id: WorkPoolId; readonly name: string } | null;
  readonly queue: { readonly id: WorkQueueId; readonly name: string } | null;
  /** Of schedule and deployment together: what is written for another version of them is not written. */
  readonly stamp: number;
  readonly lastDueAt: EpochMs | null;
  readonly policy: SchedulePolicy | null;
}

const ACTIVE = `FROM deployment_schedules JOIN deployments ON deployments.id = deployment_schedules.deployment_id
    LEFT JOIN schedule_progress ON schedule_progress.schedule_id = deployment_schedules.id
  WHERE deployment_schedules.active = 1`;
const DUE = "deployments.paused = 0 AND coalesce(schedule_progress.next_check_at, 0) <= ?1";
const STAMP = "deployment_schedules.updated + deployments.updated";

/** Active schedules of deployments that are not paused which need to be looked at, in the order of their ids. */
export async function schedulesToCheck(env: Env, now: EpochMs): Promise<string[]> {
  const { results } = await env.DB.prepare(`SELECT deployment_schedules.id ${ACTIVE} AND ${DUE} ORDER BY 1`)
    .bind(now)
    .all<{ id: string }>();
  return results.map(({ id }) => id);
}

const LOAD = `SELECT deployment_schedules.id, slug, schedule, parameters, deployments.id AS deployment_id, flow_id,
    deployments.tags, deployments.doc, ${STAMP} AS stamp, last_due_at, policy, flows.labels AS flow_labels,
    work_pools.id AS pool_id, work_pools.name AS pool_name, work_queues.id AS queue_id, work_queues.name AS queue_name,
    (SELECT max(number) FROM deployment_versions WHERE deployment_id = deployments.id) AS version_number
  ${ACTIVE.replace(
    "WHERE",
    `LEFT JOIN flows ON flows.id = deployments.flow_id
    LEFT JOIN work_pools ON work_pools.id = deployments.work_pool_id
    LEFT JOIN work_queues ON work_queues.id = deployments.work_queue_id
    LEFT JOIN schedule_policies ON schedule_policies.schedule_id = deployment_schedules.id
  WHERE`,
  )}`;

type Row = {
  id: string;
  slug: string | null;
  schedule: string;
  parameters: string;
  deployment_id: DeploymentId;
  flow_id: FlowId;
  tags: string;
  doc: string;
  stamp: number;
  last_due_at: EpochMs | null;
  policy: string | null;
  flow_labels: string | null;
  pool_id: WorkPoolId | null;
  pool_name: string | null;
  queue_id: WorkQueueId | null;
  queue_name: string | null;
  version_number: number | null;
};

/** Those of the given schedules that still need to be looked at. */
export async function loadSchedules(env: Env, ids: readonly string[], now: EpochMs): Promise<ScheduleToFollow[]> {
  const { results } = await env.DB.prepare(
    `${LOAD} AND ${DUE} AND deployment_schedules.id IN (SELECT value FROM json_each(?2))`,
  )
    .bind(now, JSON.stringify(ids))
    .all<Row>();
  return results.map(toFollow);
}

/** The active schedules of a deployment. With `now`, only those that need to be looked at. */
export async function loadSchedulesOf(env: Env, id: DeploymentId, now: EpochMs | null): Promise<ScheduleToFollow[]> {
  const { results } = await env.DB.prepare(
    `${LOAD} AND (?1 IS NULL OR ${DUE}) AND deployments.id = ?2 ORDER BY deployment_schedules.id`,
  )
    .bind(now, id)
    .all<Row>();
  return results.map(toFollow);
}

/** A schedule of a deployment, active or not; with null, the only one that it has. Null when there is none. */
export async function loadScheduleFor(
  env: Env,
  id: DeploymentId,
  scheduleId: string | null,
): Promise<ScheduleToFollow | null> {
  const load = LOAD.replace("deployment_schedules.active = 1", "true");
  const { results } = await env.DB.prepare(
    `${load} AND deployments.id = ?1 AND (?2 IS NULL OR deployment_schedules.id = ?2) LIMIT 2`,
  )
    .bind(id, scheduleId)
    .all<Row>();
  const [only] = results;
  return only && results.length === 1 ? toFollow(only) : null;
}

function toFollow(row: Row): ScheduleToFollow {
  return {
    id: row.id,
    slug: row.slug,
    schedule: JSON.parse(row.schedule) as Schedule,
    parameters: JSON.parse(row.parameters) as JsonObject,
    deploymentId: row.deployment_id,
    flowId: row.flow_id,
    tags: JSON.parse(row.tags) as string[],
    details: JSON.parse(row.doc) as DeploymentDetails,
    versionNumber: row.version_number ?? 1,
    flowLabels: row.flow_labels === null ? {} : (JSON.parse(row.flow_labels) as Labels),
    pool: row.pool_id === null || row.pool_name === null ? null : { id: row.pool_id, name: row.pool_name },
    queue: row.queue_id === null || row.queue_name === null ? null : { id: row.queue_id, name: row.queue_name },
    stamp: row.stamp,
    lastDueAt: row.last_due_at,
    policy: row.policy === null ? null : (JSON.parse(row.policy) as SchedulePolicy),
  };
}

/** A run to be written for a schedule as it was read; null for one that is written whatever became of its schedule. */
export interface DormantRun {
  readonly run: FlowRun;
  readonly scheduleId: string | null;
  readonly stamp: number | null;
}

export interface Progress {
  readonly scheduleId: string;
  readonly deploymentId: DeploymentId;
  readonly stamp: number;
  readonly nextCheckAt: EpochMs;
  readonly lastDueAt: EpochMs;
}

/** Whether the schedule is still what the row was made for. */
function unchanged(scheduleId: string, stamp: string): string {
  return `EXISTS (SELECT 1 FROM deployment_schedules JOIN deployments ON deployments.id = deployment_id
    WHERE deployment_schedules.id = ${scheduleId} AND active = 1 AND ${STAMP} = ${stamp})`;
}

const COLUMNS = `id, version, flow_id, deployment_id, work_pool_id, name, state_type, state_name, expected_start_time,
  next_scheduled_start_time, state_timestamp, tags, doc`;
const INSERT_KEYS = `INSERT INTO flow_run_keys (flow_id, key, flow_run_id)
  SELECT value ->> '$[2]', value ->> '$[13]', value ->> '$[0]' FROM json_each(?)
  WHERE value ->> '$[14]' IS NULL OR ${unchanged("value ->> '$[14]'", "value ->> '$[15]'")} ON CONFLICT DO NOTHING`;
/** Of each due time the run whose key came first, and no other. */
const INSERT_RUNS = `INSERT INTO flow_runs (${COLUMNS}, dormant)
  SELECT ${Array.from({ length: 13 }, (_, index) => `value ->> '$[${index}]'`).join(", ")}, 1
  FROM json_each(?) JOIN flow_run_keys ON flow_run_keys.flow_id = value ->> '$[2]'
    AND flow_run_keys.key = value ->> '$[13]' AND flow_run_keys.flow_run_id = value ->> '$[0]'
  WHERE true ON CONFLICT DO NOTHING RETURNING id`;
const PUT_PROGRESS = `INSERT INTO schedule_progress (schedule_id, deployment_id, next_check_at, last_due_at)
  SELECT value ->> '$[0]', value ->> '$[1]', value ->> '$[3]', value ->> '$[4]' FROM json_each(?)
  WHERE ${unchanged("value ->> '$[0]'", "value ->> '$[2]'")}
  ON CONFLICT (schedule_id) DO UPDATE SET next_check_at = excluded.next_check_at,
    last_due_at = max(last_due_at, excluded.last_due_at)`;

/** Bytes of one JSON parameter; D1 allows 2 MB for a value. */
const PARAMETER_BYTES = 1_000_000;

/** Writes all or nothing. Answers the ids of the runs that are new. */
export async function writeDormantRuns(
  env: Env,
  runs: readonly DormantRun[],
  progress: readonly Progress[],
): Promise<FlowRunId[]> {
  const statements: D1PreparedStatement[] = [];
  for (const rows of chunks(runs.map(toRow))) {
    statements.push(env.DB.prepare(INSERT_KEYS).bind(rows), env.DB.prepare(INSERT_RUNS).bind(rows));
  }
  const steps = progress.map((step) => [
    step.scheduleId,
    step.deploymentId,
    step.stamp,
    step.nextCheckAt,
    step.lastDueAt,
  ]);
  if (steps.length > 0) statements.push(env.DB.prepare(PUT_PROGRESS).bind(JSON.stringify(steps)));
  if (statements.length === 0) return [];
  const results = await env.DB.batch<{ id: FlowRunId }>(statements);
  return results.flatMap(({ results: made }) => made.map(({ id }) => id));
}

function toRow({ run, scheduleId, stamp }: DormantRun): string {
  const dueAt = run.expected_start_time === null ? null : fromWireTime(run.expected_start_time);
  return JSON.stringify([
    run.id,
    0,
    run.flow_id,
    run.deployment_id,
    run.work_pool_id,
    run.name,
    run.state_type,
    run.state_name,
    dueAt,
    dueAt,
    run.state === null ? null : fromWireTime(run.state.timestamp),
    JSON.stringify(run.tags),
    JSON.stringify(run),
    run.idempotency_key,
    scheduleId,
    stamp,
  ]);
}

function chunks(rows: readonly string[]): string[] {
  const all: string[] = [];
  let current: string[] = [];
  let bytes = 0;
  for (const row of rows) {
    if (bytes + row.length > PARAMETER_BYTES && current.length > 0) {
      all.push(`[${current.join(",")}]`);
      current = [];
      bytes = 0;
    }
    current.push(row);
    bytes += row.length;
  }
  if (current.length > 0) all.push(`[${current.join(",")}]`);
  return all;
}
