/** Queries over the copies of task runs. */
import { asc, desc, type SQL, sql } from "drizzle-orm";
import type { FlowRunFilters, TaskRunSort } from "#protocol/filters";
import type { FlowRunId, TaskRunId } from "#protocol/ids";
import type { TaskRun } from "#protocol/task-runs";
import { oneOf, taskRunsWhere } from "../filters.ts";
import { openDb } from "../open.ts";
import { taskRuns } from "../schema/flow-runs.ts";

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

/** The flow runs that these task runs belong to, by task run. Task runs that are not copied yet are absent. */
export async function flowRunsOfTasks(env: Env, ids: readonly TaskRunId[]): Promise<Map<TaskRunId, FlowRunId>> {
  const rows = await openDb(env)
    .select({ id: taskRuns.id, flowRunId: taskRuns.flowRunId })
    .from(taskRuns)
    .where(oneOf(taskRuns.id, ids));
  return new Map(rows.map((row) => [row.id as TaskRunId, row.flowRunId as FlowRunId]));
}
