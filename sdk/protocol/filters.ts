/**
 * Filters, as Prefect 3 writes them: one object per resource, criteria with suffixes (`any_`, `like_`, …).
 * An absent or null criterion matches everything. Unknown keys are ignored.
 */
import { z } from "zod";
import { Uuid } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { StateType } from "./states.ts";
import { LenientTime } from "./time.ts";

const ids = z.array(Uuid).nullish();
const words = z.array(z.string()).nullish();
const operator = z.enum(["and_", "or_"]).nullish();

/** Match ids: one of `any_`. */
export const IdFilter = z.object({ any_: ids, not_any_: ids }).nullish();
/** Match names: exactly one of `any_`, or containing `like_` whatever the case. */
export const NameFilter = z.object({ any_: words, like_: z.string().nullish() }).nullish();
/** Match tags: having all of `all_`, any of `any_`, or none at all. */
export const TagsFilter = z.object({ operator, all_: words, any_: words, is_null_: z.boolean().nullish() }).nullish();
/** Match an id that may be absent. */
export const NullableIdFilter = z.object({ operator, any_: ids, is_null_: z.boolean().nullish() }).nullish();
/** Match an instant. */
export const TimeFilter = z
  .object({ before_: LenientTime.nullish(), after_: LenientTime.nullish(), is_null_: z.boolean().nullish() })
  .nullish();
/** Match a state by type, by name, or both. */
export const StateFilter = z
  .object({
    operator,
    type: z.object({ any_: z.array(StateType).nullish(), not_any_: z.array(StateType).nullish() }).nullish(),
    name: z.object({ any_: words, not_any_: words }).nullish(),
  })
  .nullish();

/** Match flows. All criteria must hold, or (operator "or_") any of them; so it is wherever a filter has one. */
export const FlowFilter = z
  .object({
    operator,
    id: IdFilter,
    name: NameFilter,
    tags: TagsFilter,
    /** Flows without (`is_null_`) or with deployments. */
    deployment: z.object({ operator, is_null_: z.boolean().nullish() }).nullish(),
  })
  .nullish();
/**
 * Match flow runs as they are listed, which may be a moment behind. For the bounds of `start_time`, a run that has not
 * started does so when it is expected to.
 */
export const FlowRunFilter = z
  .object({
    operator,
    id: IdFilter,
    name: NameFilter,
    tags: TagsFilter,
    deployment_id: NullableIdFilter,
    work_queue_name: z.object({ operator, any_: words, is_null_: z.boolean().nullish() }).nullish(),
    state: StateFilter,
    start_time: TimeFilter,
    end_time: TimeFilter,
    expected_start_time: TimeFilter,
    next_scheduled_start_time: TimeFilter,
    flow_version: z.object({ any_: words }).nullish(),
    /** Subflows of these flow runs. */
    parent_flow_run_id: z.object({ operator, any_: ids }).nullish(),
    parent_task_run_id: NullableIdFilter,
    idempotency_key: z.object({ any_: words, not_any_: words }).nullish(),
    created_by: z.object({ operator, id_: ids, type_: words, is_null_: z.boolean().nullish() }).nullish(),
  })
  .nullish();
export type FlowRunFilter = z.infer<typeof FlowRunFilter>;
/** Match task runs. `is_null_` of `flow_run_id` asks for those outside of any flow. */
export const TaskRunFilter = z
  .object({
    operator,
    id: IdFilter,
    name: NameFilter,
    tags: TagsFilter,
    state: StateFilter,
    start_time: TimeFilter,
    end_time: TimeFilter,
    expected_start_time: TimeFilter,
    flow_run_id: NullableIdFilter,
    /** Those that stand for a subflow, or those that do not. */
    subflow_runs: z.object({ exists_: z.boolean().nullish() }).nullish(),
  })
  .nullish();
export type TaskRunFilter = z.infer<typeof TaskRunFilter>;
/** Match deployments by what they are, and by the queue that their runs go to. */
export const DeploymentFilter = z
  .object({
    operator,
    id: IdFilter,
    name: NameFilter,
    tags: TagsFilter,
    paused: z.object({ eq_: z.boolean().nullish() }).nullish(),
    /** Names of deployments or of their flows that contain the text. */
    flow_or_deployment_name: z.object({ like_: z.string().nullish() }).nullish(),
    work_queue_name: z.object({ any_: words }).nullish(),
    /** Accepted and without effect, as upstream: the limit became an object of its own. */
    concurrency_limit: z
      .object({ ge_: z.int().nullish(), le_: z.int().nullish(), is_null_: z.boolean().nullish() })
      .nullish(),
  })
  .nullish();
/** Match work queues; `startswith_` whatever the case. */
export const WorkQueueFilter = z
  .object({
    operator,
    id: IdFilter,
    name: z.object({ any_: words, startswith_: words }).nullish(),
  })
  .nullish();
export type WorkQueueFilter = z.infer<typeof WorkQueueFilter>;
/** Match work pools; a type is the word that a pool was made with, such as `process` or `http`. */
export const WorkPoolFilter = z
  .object({ operator, id: IdFilter, name: NameFilter, type: z.object({ any_: words }).nullish() })
  .nullish();

/** Match workers; ONLINE are those whose heartbeats come in time. */
export const WorkerFilter = z
  .object({
    operator,
    last_heartbeat_time: z.object({ before_: LenientTime.nullish(), after_: LenientTime.nullish() }).nullish(),
    status: z
      .object({
        any_: z.array(z.enum(["ONLINE", "OFFLINE"])).nullish(),
        not_any_: z.array(z.enum(["ONLINE", "OFFLINE"])).nullish(),
      })
      .nullish(),
  })
  .nullish();
export type WorkerFilter = z.infer<typeof WorkerFilter>;

/** The filters that lists of runs take. All that are given must hold. */
export const FlowRunFilters = z.object({
  flows: FlowFilter,
  flow_runs: FlowRunFilter,
  task_runs: TaskRunFilter,
  deployments: DeploymentFilter,
  work_pools: WorkPoolFilter,
  work_pool_queues: WorkQueueFilter,
  /** The same, by the name that upstream's histories have for it. */
  work_queues: WorkQueueFilter,
});
export type FlowRunFilters = z.infer<typeof FlowRunFilters>;

/** Rows of a page. Prefect's clients recognise the words, and ask again for less. */
const limit = z
  .int()
  .min(0, { error: "Invalid limit: must be greater than or equal to 0." })
  .max(LIMITS.pageRows, { error: `Invalid limit: must be less than or equal to ${LIMITS.pageRows}.` });

/** Which part of a list: at most 200 rows, from `offset` on. Null means the default. */
export const Paging = z.object({
  limit: limit.nullish(),
  offset: z.int().min(0).nullish(),
});
export type Paging = z.infer<typeof Paging>;

/** Which page of a list: at most 200 rows, counted from page 1. Null means the default. */
export const PageNumber = z.object({ limit: Paging.shape.limit, page: z.int().min(1).nullish() });
export type PageNumber = z.infer<typeof PageNumber>;

/** One page of a list, as every `/paginate` answers it; `pages` is 0 when `limit` is. */
export function paginated<T extends z.ZodType>(row: T) {
  return z.object({
    results: z.array(row),
    /** Of all pages together. */
    count: z.int(),
    limit: z.int(),
    pages: z.int(),
    page: z.int(),
  });
}

/**
 * The order of a list of flow runs; ID_DESC, the newest first, unless said. By START_TIME, a run that has not started
 * does so when it is expected to; by END_TIME and NEXT_SCHEDULED_START_TIME, runs without that time come last.
 */
export const FlowRunSort = z.enum([
  "ID_DESC",
  "START_TIME_ASC",
  "START_TIME_DESC",
  "EXPECTED_START_TIME_ASC",
  "EXPECTED_START_TIME_DESC",
  "NAME_ASC",
  "NAME_DESC",
  "NEXT_SCHEDULED_START_TIME_ASC",
  "END_TIME_DESC",
]);
export type FlowRunSort = z.infer<typeof FlowRunSort>;
/**
 * The order of a list of task runs; ID_DESC, the newest first, unless said. By END_TIME and NEXT_SCHEDULED_START_TIME,
 * runs without that time come last.
 */
export const TaskRunSort = z.enum([
  "ID_DESC",
  "EXPECTED_START_TIME_ASC",
  "EXPECTED_START_TIME_DESC",
  "NAME_ASC",
  "NAME_DESC",
  "NEXT_SCHEDULED_START_TIME_ASC",
  "END_TIME_DESC",
]);
export type TaskRunSort = z.infer<typeof TaskRunSort>;
