/**
 * The copies in D1 that lists and filters read: the statements that write them, many rows at a time.
 *
 * A copy carries its owner's version and never goes backwards: a refused row costs nothing. One JSON parameter holds
 * all rows, since D1 binds at most 100 parameters and a statement per row costs a round trip of its thread each.
 * A column that an index covers is only named in an update where it can change: naming it costs a written row.
 */
import type { FlowRun } from "#protocol/flow-runs";
import type { FlowRunId, TaskRunId } from "#protocol/ids";
import type { TaskRun } from "#protocol/task-runs";
import { fromWireTime, type WireTime } from "#protocol/time";

export interface FlowRunCopy {
  readonly version: number;
  readonly run: FlowRun;
  /** D1 has the run's start time already; it does not change any more. */
  readonly startKnown?: boolean;
}

export interface TaskRunCopy {
  readonly version: number;
  readonly task: TaskRun;
}

const FLOW_RUN_COLUMNS = [
  "id",
  "version",
  "flow_id",
  "deployment_id",
  "work_pool_id",
  "parent_task_run_id",
  "name",
  "state_type",
  "state_name",
  "expected_start_time",
  "next_scheduled_start_time",
  "start_time",
  "end_time",
  "total_run_time",
  "state_timestamp",
  "tags",
  "doc",
] as const;

const TASK_RUN_COLUMNS = [
  "flow_run_id",
  "id",
  "version",
  "name",
  "task_key",
  "dynamic_key",
  "state_type",
  "state_name",
  "expected_start_time",
  "start_time",
  "end_time",
  "tags",
  "doc",
] as const;

const FLOW_RUN_CHANGES = [
  "version",
  "name",
  "state_type",
  "state_name",
  "expected_start_time",
  "next_scheduled_start_time",
  "end_time",
  "total_run_time",
  "state_timestamp",
  "tags",
  "doc",
  // Its owner has it: it is not dormant any more.
  "dormant",
];
const TASK_RUN_CHANGES = [
  "version",
  "name",
  "state_type",
  "state_name",
  "expected_start_time",
  "start_time",
  "end_time",
  "tags",
  "doc",
];

function upsert(table: string, columns: readonly string[], key: string, changes: readonly string[]): string {
  const values = columns.map((_, index) => `value ->> ${index}`).join(", ");
  const assignments = changes.map((column) => `${column} = excluded.${column}`).join(", ");
  return `INSERT INTO ${table} (${columns.join(", ")}) SELECT ${values} FROM json_each(?) WHERE true
    ON CONFLICT (${key}) DO UPDATE SET ${assignments} WHERE excluded.version > ${table}.version`;
}

const UPSERT_FLOW_RUNS = upsert("flow_runs", FLOW_RUN_COLUMNS, "id", [...FLOW_RUN_CHANGES, "start_time"]);
const UPSERT_STARTED_FLOW_RUNS = upsert("flow_runs", FLOW_RUN_COLUMNS, "id", FLOW_RUN_CHANGES);
/** A task run's id that another flow run has already is refused by itself, and must not hold up the rows beside it. */
const UPSERT_TASK_RUNS = `${upsert("task_runs", TASK_RUN_COLUMNS, "flow_run_id, id", TASK_RUN_CHANGES)}
    ON CONFLICT (id) DO NOTHING`;

/** Bytes of one JSON parameter; D1 allows 2 MB for a value. */
const PARAMETER_BYTES = 1_500_000;

/** Writes all copies in one D1 batch, which is one transaction and one round trip. */
export async function writeCopies(db: D1Database, runs: FlowRunCopy[], tasks: TaskRunCopy[]): Promise<void> {
  const statements = [
    ...chunks(runs.filter((copy) => !copy.startKnown).map(flowRunValues)).map((rows) =>
      db.prepare(UPSERT_FLOW_RUNS).bind(rows),
    ),
    ...chunks(runs.filter((copy) => copy.startKnown).map(flowRunValues)).map((rows) =>
      db.prepare(UPSERT_STARTED_FLOW_RUNS).bind(rows),
    ),
    ...chunks(tasks.map(taskRunValues)).map((rows) => db.prepare(UPSERT_TASK_RUNS).bind(rows)),
  ];
  if (statements.length > 0) await db.batch(statements);
}

/** The flow runs that these task runs belong to. Task runs outside a flow and those that are not copied are absent. */
export async function flowRunsOfTasks(db: D1Database, ids: readonly TaskRunId[]): Promise<Map<TaskRunId, FlowRunId>> {
  const { results } = await db
    .prepare("SELECT id, flow_run_id FROM task_runs WHERE id IN (SELECT value FROM json_each(?)) AND flow_run_id <> ''")
    .bind(JSON.stringify(ids))
    .all<{ id: TaskRunId; flow_run_id: FlowRunId }>();
  return new Map(results.map((row) => [row.id, row.flow_run_id]));
}

/** Removes one task run from the lists. */
export async function deleteTaskCopy(db: D1Database, id: TaskRunId): Promise<void> {
  await db.prepare("DELETE FROM task_runs WHERE id = ?").bind(id).run();
}

function flowRunValues({ version, run }: FlowRunCopy): string {
  return JSON.stringify([
    run.id,
    version,
    run.flow_id,
    run.deployment_id,
    run.work_pool_id,
    run.parent_task_run_id,
    run.name,
    run.state_type,
    run.state_name,
    epoch(run.expected_start_time),
    epoch(run.next_scheduled_start_time),
    epoch(run.start_time),
    epoch(run.end_time),
    run.total_run_time,
    epoch(run.state?.timestamp ?? null),
    JSON.stringify(run.tags),
    JSON.stringify(run),
  ]);
}

function taskRunValues({ version, task }: TaskRunCopy): string {
  return JSON.stringify([
    task.flow_run_id ?? "",
    task.id,
    version,
    task.name,
    task.task_key,
    task.dynamic_key,
    task.state_type,
    task.state_name,
    epoch(task.expected_start_time),
    epoch(task.start_time),
    epoch(task.end_time),
    JSON.stringify(task.tags),
    JSON.stringify(task),
  ]);
}

function epoch(time: WireTime | null): number | null {
  return time === null ? null : fromWireTime(time);
}

function chunks(rows: readonly string[]): string[] {
  const parameters: string[] = [];
  let current: string[] = [];
  let size = 0;
  for (const row of rows) {
    if (size + row.length > PARAMETER_BYTES && current.length > 0) {
      parameters.push(`[${current.join(",")}]`);
      current = [];
      size = 0;
    }
    current.push(row);
    size += row.length;
  }
  if (current.length > 0) parameters.push(`[${current.join(",")}]`);
  return parameters;
}
