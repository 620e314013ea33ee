/** Reads of task runs as upstream's UI asks for them. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { FlowRunFilters } from "./filters.ts";
import { TaskRunId } from "./ids.ts";
import { STATE_TYPES, StateType } from "./states.ts";
import { TaskRun } from "./task-runs.ts";

/** How many runs are in each type of state; every type is present. */
export const CountByState = z.record(StateType, z.int());
export type CountByState = z.infer<typeof CountByState>;

/** Counts in which nothing was counted. */
export function noneByState(): CountByState {
  return Object.fromEntries(STATE_TYPES.map((type) => [type, 0])) as CountByState;
}

/** Task runs that ended in one part of a span of time: by their own error or loss, and otherwise. */
export const TaskRunOutcomes = z.object({ completed: z.int(), failed: z.int() });
export type TaskRunOutcomes = z.infer<typeof TaskRunOutcomes>;

/**
 * The span begins at `task_runs.start_time.after_` (422 without it) and ends at `before_`, by default now; both in
 * whole minutes.
 */
export const countTaskRunOutcomes = endpoint({
  id: "count_task_run_outcomes",
  method: "POST",
  path: "/ui/task_runs/dashboard/counts",
  tag: "UI",
  role: "viewer",
  summary: "Count ended task runs in twenty equal parts of a span of time, by when they started.",
  body: FlowRunFilters.refine((filters) => filters.task_runs?.start_time?.after_ != null, {
    error: "task_runs.start_time.after_ is required",
    path: ["task_runs", "start_time", "after_"],
  }),
  returns: z.array(TaskRunOutcomes),
});
/** Task runs without a state are not counted. */
export const countTaskRunsByState = endpoint({
  id: "count_task_runs_by_state",
  method: "POST",
  path: "/ui/task_runs/count",
  tag: "UI",
  role: "viewer",
  summary: "Count task runs by type of state.",
  body: FlowRunFilters,
  returns: CountByState,
});
/** The name is null for a task run outside a flow. 404 for an unknown task run. */
export const readTaskRunForUi = endpoint({
  id: "read_task_run_for_ui",
  method: "GET",
  path: "/ui/task_runs/:id",
  tag: "UI",
  role: "viewer",
  summary: "Read one task run with the name of its flow run.",
  params: z.object({ id: TaskRunId }),
  returns: TaskRun.extend({ flow_run_name: z.string().nullable() }),
});
