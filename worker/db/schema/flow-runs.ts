/** Copies of flow runs and task runs for lists and filters. Their owners decide; see DESIGN §3. Times are epoch ms. */
import { sql } from "drizzle-orm";
import { index, integer, primaryKey, real, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { FlowRun } from "#protocol/flow-runs";
import type { StateType } from "#protocol/states";
import type { TaskRun } from "#protocol/task-runs";

export const flowRuns = sqliteTable(
  "flow_runs",
  {
    id: text().primaryKey(),
    /** The owner's; an older version never overwrites a newer one. */
    version: integer().notNull(),
    flowId: text().notNull(),
    deploymentId: text(),
    workPoolId: text(),
    parentTaskRunId: text(),
    name: text().notNull(),
    stateType: text().$type<StateType>(),
    stateName: text(),
    expectedStartTime: real(),
    nextScheduledStartTime: real(),
    startTime: real(),
    /** When it started, or else is to start: what a start time is filtered and sorted by, as upstream. */
    startsAt: real().generatedAlwaysAs(sql`coalesce(start_time, expected_start_time)`, { mode: "virtual" }),
    endTime: real(),
    /** Of its states so far, in seconds, without what has passed in the present one. */
    totalRunTime: real().notNull().default(0),
    stateTimestamp: real(),
    tags: text({ mode: "json" }).$type<string[]>().notNull().default([]),
    /** 1: a scheduled run that no object has heard of yet. 2: its owner is taking it over. */
    dormant: integer().notNull().default(0),
    doc: text({ mode: "json" }).$type<FlowRun>().notNull(),
  },
  (table) => [
    index("flow_runs_flow").on(table.flowId),
    index("flow_runs_deployment").on(table.deploymentId).where(sql`deployment_id IS NOT NULL`),
    index("flow_runs_parent").on(table.parentTaskRunId).where(sql`parent_task_run_id IS NOT NULL`),
    // What histories, counts and sorts need beside the state changes with it: for the same written row they read this
    // index alone, a tenth of the table.
    index("flow_runs_state").on(
      table.stateType,
      table.id,
      table.stateName,
      table.expectedStartTime,
      table.startTime,
      table.totalRunTime,
      table.stateTimestamp,
    ),
    // Read once a minute for what is due soon; a run leaves it when its owner takes it over.
    index("flow_runs_dormant").on(table.nextScheduledStartTime).where(sql`dormant = 1`),
    index("flow_runs_starts_at").on(table.startsAt),
  ],
);

export const taskRuns = sqliteTable(
  "task_runs",
  {
    /** Empty for a task run outside a flow. */
    flowRunId: text().notNull().default(""),
    id: text().notNull(),
    version: integer().notNull(),
    name: text().notNull(),
    taskKey: text().notNull(),
    dynamicKey: text().notNull(),
    stateType: text().$type<StateType>(),
    stateName: text(),
    expectedStartTime: real(),
    startTime: real(),
    endTime: real(),
    tags: text({ mode: "json" }).$type<string[]>().notNull().default([]),
    doc: text({ mode: "json" }).$type<TaskRun>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.flowRunId, table.id] }), uniqueIndex("task_runs_id").on(table.id)],
);

/** Owns the uniqueness of idempotency keys: the key is inserted before the run is made. */
export const flowRunKeys = sqliteTable(
  "flow_run_keys",
  { flowId: text().notNull(), key: text().notNull(), flowRunId: text().notNull() },
  (table) => [primaryKey({ columns: [table.flowId, table.key] })],
);

/** Owns the uniqueness of task runs outside flows: their key is inserted before the task run is made. */
export const taskRunKeys = sqliteTable(
  "task_run_keys",
  { taskKey: text().notNull(), dynamicKey: text().notNull(), taskRunId: text().notNull() },
  (table) => [primaryKey({ columns: [table.taskKey, table.dynamicKey] })],
);

/** Results that task runs with the same cache key may use; written by the owners of task runs. Times are epoch ms. */
export const taskRunStateCache = sqliteTable("task_run_state_cache", {
  cacheKey: text().primaryKey(),
  taskRunId: text(),
  completedAt: real().notNull(),
  expiresAt: real(),
  state: text().notNull(),
});
