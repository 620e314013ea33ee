/** Who holds the slots of work pools and their queues: the runs that are PENDING, RUNNING or CANCELLING. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { PageNumber } from "./filters.ts";
import { FlowRunId, WorkQueueId } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { StateType } from "./states.ts";
import { WireTime } from "./time.ts";

/** A run that holds a slot. `start_time` is null until it has started, `time_in_current_state` without a state. */
export const SlotHolder = z.object({
  id: FlowRunId,
  name: z.string(),
  state_type: StateType.nullable(),
  state_name: z.string().nullable(),
  start_time: WireTime.nullable(),
  state_timestamp: WireTime.nullable(),
  /** In seconds. */
  time_in_current_state: z.number().nullable(),
});
export type SlotHolder = z.infer<typeof SlotHolder>;

const paged = { count: z.int(), limit: z.int(), pages: z.int(), page: z.int() };

/** Pages over the queues, at most 200. Limits are null where there is none. 404 for an unknown pool. */
export const readWorkPoolSlots = endpoint({
  id: "read_work_pool_concurrency_status",
  method: "POST",
  path: "/work_pools/:name/concurrency_status",
  tag: "Work Pools",
  role: "viewer",
  summary: "Say how many slots of a work pool are taken, and by which runs, queue by queue.",
  params: z.object({ name: z.string() }),
  body: PageNumber.extend({
    /** Runs of each queue at most. Default: 10. */
    flow_run_limit: z.int().min(0).max(LIMITS.pageRows).nullish(),
  }),
  returns: z.object({
    active_slots: z.int(),
    concurrency_limit: z.int().nullable(),
    queues: z.array(
      z.object({
        queue_id: WorkQueueId,
        queue_name: z.string(),
        active_slots: z.int(),
        concurrency_limit: z.int().nullable(),
        flow_runs: z.array(SlotHolder),
        flow_run_count: z.int().nullable(),
      }),
    ),
    ...paged,
  }),
});
/**
 * Pages over the runs, the oldest first, at most 200. The limit is null where there is none. 404 for an unknown queue.
 */
export const readWorkQueueSlots = endpoint({
  id: "read_work_queue_concurrency_status",
  method: "POST",
  path: "/work_queues/:id/concurrency_status",
  tag: "Work Queues",
  role: "viewer",
  summary: "Say how many slots of a work queue are taken, and by which runs.",
  params: z.object({ id: WorkQueueId }),
  body: PageNumber,
  returns: z.object({
    active_slots: z.int(),
    concurrency_limit: z.int().nullable(),
    flow_runs: z.array(SlotHolder),
    ...paged,
  }),
});
