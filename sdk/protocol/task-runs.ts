/** Task runs. They are made and moved by the process that runs the flow; the control plane records and shows them. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { FlowRunFilters, PageNumber, Paging, paginated, TaskRunSort } from "./filters.ts";
import { FlowRunId, StateId, TaskRunId } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { RunHistoryInterval, RunHistoryQuery } from "./run-history.ts";
import { OrchestrationResult, State, StateCreate, StateType } from "./states.ts";
import { LenientTime, WireTime } from "./time.ts";

/** Retries of one task. Delays are in seconds; a list gives the delay before each retry. */
export const TaskRunPolicy = z.object({
  /** Of old clients, as is `retry_delay_seconds`: they hold where `retries` and `retry_delay` are null. */
  max_retries: z.int().default(0),
  retry_delay_seconds: z.number().default(0),
  retries: z.int().nullable().default(null),
  retry_delay: z
    .union([z.number(), z.array(z.number())])
    .nullable()
    .default(null),
  /** Delays are spread at random, up to (1 + factor) times their length; null or 0: not at all. */
  retry_jitter_factor: z.number().nullable().default(null),
});
export type TaskRunPolicy = z.infer<typeof TaskRunPolicy>;

/** Where an input of a task came from: another run, a parameter of the flow, or a constant. */
export const TaskInput = z.looseObject({ input_type: z.string() });
export type TaskInput = z.infer<typeof TaskInput>;

/** A task run as every list and read answers it. Spans are in seconds. */
export const TaskRun = z.object({
  id: TaskRunId,
  created: WireTime,
  updated: WireTime,
  name: z.string(),
  /** Null outside a flow. */
  flow_run_id: FlowRunId.nullable(),
  task_key: z.string(),
  /** What tells runs of one task in one flow run apart. */
  dynamic_key: z.string(),
  cache_key: z.string().nullable(),
  cache_expiration: WireTime.nullable(),
  task_version: z.string().nullable(),
  empirical_policy: TaskRunPolicy,
  tags: z.array(z.string()),
  labels: z.record(z.string(), z.union([z.string(), z.boolean(), z.number()])),
  /** Null before the first state, as are `state_type`, `state_name` and `state`. */
  state_id: StateId.nullable(),
  task_inputs: z.record(z.string(), z.array(TaskInput)),
  state_type: StateType.nullable(),
  state_name: z.string().nullable(),
  run_count: z.int(),
  /** The `run_count` of its flow run when it last ran. */
  flow_run_run_count: z.int(),
  expected_start_time: WireTime.nullable(),
  next_scheduled_start_time: WireTime.nullable(),
  start_time: WireTime.nullable(),
  end_time: WireTime.nullable(),
  total_run_time: z.number(),
  /** With the time since it entered RUNNING, which `total_run_time` does not count yet. */
  estimated_run_time: z.number(),
  /** How late it started, or is by now. */
  estimated_start_time_delta: z.number(),
  state: State.nullable(),
});
export type TaskRun = z.infer<typeof TaskRun>;

/**
 * What makes a task run over REST: one that stands for a subflow in its parent, or one that waits for a task worker
 * (SCHEDULED and deferred). Without a flow run it is one outside a flow.
 */
export const TaskRunCreate = z.object({
  id: TaskRunId.nullish(),
  name: z.string().nullish(),
  flow_run_id: FlowRunId.nullish(),
  task_key: z.string().max(LIMITS.taskKeyChars),
  dynamic_key: z.string(),
  cache_key: z.string().nullish(),
  cache_expiration: LenientTime.nullish(),
  task_version: z.string().nullish(),
  empirical_policy: TaskRunPolicy.refine(
    ({ retry_delay }) => !Array.isArray(retry_delay) || retry_delay.length <= LIMITS.retryDelays,
    { error: `Can not configure more than ${LIMITS.retryDelays} retry delays per task.`, path: ["retry_delay"] },
  )
    .refine(({ retry_jitter_factor }) => (retry_jitter_factor ?? 0) >= 0, {
      error: "`retry_jitter_factor` must be >= 0.",
      path: ["retry_jitter_factor"],
    })
    .nullish(),
  tags: z.array(z.string()).nullish(),
  labels: z.record(z.string(), z.union([z.string(), z.boolean(), z.number()])).nullish(),
  task_inputs: z.record(z.string(), z.array(TaskInput)).nullish(),
  state: StateCreate.nullish(),
});
export type TaskRunCreate = z.infer<typeof TaskRunCreate>;

/** What may be changed of a task run besides its state. */
export const TaskRunUpdate = z.object({ name: z.string().nullish() });
export type TaskRunUpdate = z.infer<typeof TaskRunUpdate>;

const byId = z.object({ id: TaskRunId });

/**
 * 201 for a new task run, 200 for one that is there. 404 for an unknown flow run, 409 when another task run has the id,
 * 503 when 100,000 runs of the task wait for a task worker. An empty name is none: one is made up.
 */
export const createTaskRun = endpoint({
  id: "create_task_run",
  method: "POST",
  path: "/task_runs/",
  tag: "Task Runs",
  status: 201,
  role: "worker",
  summary:
    "Create a task run, or answer the one of the flow run (or outside flows) that has its task key and dynamic key.",
  body: TaskRunCreate,
  returns: TaskRun,
});
/** Asks the task run's owner, which is ahead of the lists. 404 for an unknown task run. */
export const readTaskRun = endpoint({
  id: "read_task_run",
  method: "GET",
  path: "/task_runs/:id",
  tag: "Task Runs",
  role: "viewer",
  summary: "Read one task run.",
  params: byId,
  returns: TaskRun,
});
/** 404 for an unknown task run. */
export const updateTaskRun = endpoint({
  id: "update_task_run",
  method: "PATCH",
  path: "/task_runs/:id",
  tag: "Task Runs",
  status: 204,
  role: "worker",
  summary: "Rename a task run.",
  params: byId,
  body: TaskRunUpdate,
});
/** 404 for an unknown task run. */
export const deleteTaskRun = endpoint({
  id: "delete_task_run",
  method: "DELETE",
  path: "/task_runs/:id",
  tag: "Task Runs",
  status: 204,
  role: "worker",
  summary: "Delete a task run; one that waits for a task worker is not delivered any more.",
  params: byId,
});
/**
 * RUNNING also takes a slot of each limit of its tags; when one has none left the verdict is WAIT, when it is 0 ABORT.
 * A proposal that is refused is no error. 201 when a state was stored, otherwise 200; 404 for an unknown task run.
 * `force` is false by default.
 */
export const setTaskRunState = endpoint({
  id: "set_task_run_state",
  method: "POST",
  path: "/task_runs/:id/set_state",
  tag: "Task Runs",
  status: 201,
  role: "worker",
  summary: "Propose a state of a task run; answers what became of it.",
  params: byId,
  body: z.object({ state: StateCreate, force: z.boolean().nullish() }),
  returns: OrchestrationResult,
});
/**
 * The newest first unless `sort` says otherwise. Those of one flow run, in that order, come from its owner and are up
 * to date; other lists lag a little behind.
 */
export const filterTaskRuns = endpoint({
  id: "filter_task_runs",
  method: "POST",
  path: "/task_runs/filter",
  tag: "Task Runs",
  role: "viewer",
  summary: "List task runs.",
  body: FlowRunFilters.extend({ sort: TaskRunSort.nullish() }).extend(Paging.shape),
  returns: z.array(TaskRun),
});
/** Pages of at most 200 from page 1 on, the newest task run first unless `sort` says otherwise. */
export const paginateTaskRuns = endpoint({
  id: "paginate_task_runs",
  method: "POST",
  path: "/task_runs/paginate",
  tag: "Task Runs",
  role: "viewer",
  summary: "List task runs page by page.",
  body: FlowRunFilters.extend({ sort: TaskRunSort.nullish() }).extend(PageNumber.shape),
  returns: paginated(TaskRun),
});
/** Counts all that match; without filters, all task runs. */
export const countTaskRuns = endpoint({
  id: "count_task_runs",
  method: "POST",
  path: "/task_runs/count",
  tag: "Task Runs",
  role: "viewer",
  summary: "Count task runs.",
  body: FlowRunFilters,
  returns: z.int(),
});
/** Of many states the first and the newest are kept. 404 for an unknown task run. */
export const readTaskRunStates = endpoint({
  id: "read_task_run_states",
  method: "GET",
  path: "/task_run_states/",
  tag: "Task Run States",
  role: "viewer",
  summary: "List the states that a task run went through, oldest first.",
  query: z.object({ task_run_id: TaskRunId }),
  returns: z.array(State),
});
/** Answers each interval, also one without task runs, up to 500 of them. 422 for intervals of less than a second. */
export const readTaskRunHistory = endpoint({
  id: "read_task_run_history",
  method: "POST",
  path: "/task_runs/history",
  tag: "Task Runs",
  role: "viewer",
  summary: "Count task runs by state in each interval of a span of time.",
  body: RunHistoryQuery,
  returns: z.array(RunHistoryInterval),
});
/**
 * 404 for an unknown state. An earlier state of a task run is looked for among a bounded number of task runs only, the
 * newest first.
 */
export const readTaskRunState = endpoint({
  id: "read_task_run_state",
  method: "GET",
  path: "/task_run_states/:id",
  tag: "Task Run States",
  role: "viewer",
  summary: "Read one state of a task run.",
  params: z.object({ id: StateId }),
  returns: State,
});
