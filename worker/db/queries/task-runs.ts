/** Queries over the copies of task runs. */
import { and, asc, desc, eq, type SQL, sql } from "drizzle-orm";
import type { FlowRunFilters, TaskRunSort } from "#protocol/filters";
import { type StateId, type TaskRunId, timeOfUuid } from "#protocol/ids";
import type { TaskRun } from "#protocol/task-runs";
import type { EpochMs } from "#protocol/time";
import { taskRunsWhere } from "../filters.ts";
import { openDb } from "../open.ts";
import { taskRunKeys, taskRuns } from "../schema/flow-runs.ts";

const ORDER = {
  ID_DESC: [],
  EXPECTED_START_TIME_ASC: [asc(taskRuns.expectedStartTime)],
  EXPECTED_START_TIME_DESC: [desc(taskRuns.expectedStartTime)],
  NAME_ASC: [asc(taskRuns.name)],
  NAME_DESC: [desc(taskRuns.name)],
  NEXT_SCHEDULED_START_TIME_ASC: [sql`${taskRuns.doc} ->> '$.next_scheduled_start_time' ASC NULLS LAST`],
  END_TIME_DESC: [sql`${taskRuns.endTime} DESC NULLS LAST`],
} satisfies Record<TaskRunSort, SQL[]>;

export async function listTaskRuns(
  env: Env,
  filters: FlowRunFilters,
  page: { readonly sort: TaskRunSort; readonly limit: number; readonly offset: number },
): Promise<TaskRun[]> {
  const rows = await openDb(env)
    .select({ doc: taskRuns.doc })
    .from(taskRuns)
    .where(taskRunsWhere(filters))
    .orderBy(...ORDER[page.sort], desc(taskRuns.id))
    .limit(page.limit)
    .offset(page.offset);
  return rows.map((row) => row.doc);
}

export async function countTaskRuns(env: Env, filters: FlowRunFilters): Promise<number> {
  return openDb(env).$count(taskRuns, taskRunsWhere(filters));
}

/** The task run outside flows that has this natural key: the given one if the key is new, else the one that came first. */
export async function claimTaskKey(env: Env, taskKey: string, dynamicKey: string, id: TaskRunId): Promise<TaskRunId> {
  const db = openDb(env);
  const [inserted] = await db
    .insert(taskRunKeys)
    .values({ taskKey, dynamicKey, taskRunId: id })
    .onConflictDoNothing()
    .returning({ id: taskRunKeys.taskRunId });
  if (inserted) return id;
  const [known] = await db
    .select({ id: taskRunKeys.taskRunId })
    .from(taskRunKeys)
    .where(and(eq(taskRunKeys.taskKey, taskKey), eq(taskRunKeys.dynamicKey, dynamicKey)));
  return (known?.id ?? id) as TaskRunId;
}

/** Frees a deleted task run's key. */
export async function freeTaskKey(env: Env, task: TaskRun): Promise<void> {
  await openDb(env)
    .delete(taskRunKeys)
    .where(
      and(
        eq(taskRunKeys.taskKey, task.task_key),
        eq(taskRunKeys.dynamicKey, task.dynamic_key),
        eq(taskRunKeys.taskRunId, task.id),
      ),
    );
}

/** Rows that are looked at for a state: task runs that were made before it, newest first. */
const STATE_CANDIDATES = 200;

/**
 * Task runs of which a state with this id may be one: those that are in it, else the newest that are older than it. A
 * state's id carries its time; an older form of id is found as a current state only.
 */
export async function taskRunsOfState(env: Env, id: StateId): Promise<TaskRun[]> {
  const db = openDb(env);
  const at = timeOfUuid(id);
  const newest = at === null ? undefined : sql`${taskRuns.id} < ${upperId(at)}`;
  const rows = await db
    .select({ doc: taskRuns.doc })
    .from(taskRuns)
    .where(newest)
    .orderBy(desc(taskRuns.id))
    .limit(STATE_CANDIDATES);
  const docs = rows.map(({ doc }) => doc);
  const current = docs.filter((task) => task.state_id === id);
  return current.length > 0 ? current : docs;
}

/** Greater than every id of version 7 that was made up to this instant. */
function upperId(at: EpochMs): string {
  const time = Math.floor(at + 1)
    .toString(16)
    .padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7`;
}
