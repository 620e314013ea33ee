/** Work queues by their ids, whatever their pool. Queues that name no pool are those of the pool of old agents. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { Paging, WorkQueueFilter } from "./filters.ts";
import { WorkQueueId } from "./ids.ts";
import { WireTime } from "./time.ts";
import { WorkQueue, WorkQueueCreate, WorkQueueUpdate } from "./work-pools.ts";

/** The pool of queues that name none; upstream's name for it. */
export const AGENT_POOL = "default-agent-pool";

const byId = z.object({ id: WorkQueueId });

/** How a queue is served. It is healthy if no run of it is late and its status is READY. */
export const WorkQueueStatus = z.object({
  healthy: z.boolean(),
  late_runs_count: z.int(),
  last_polled: WireTime.nullable(),
  /** What counts as healthy; the same for all queues. */
  health_check_policy: z.object({
    maximum_late_runs: z.int().nullable(),
    maximum_seconds_since_last_polled: z.int().nullable(),
  }),
});
export type WorkQueueStatus = z.infer<typeof WorkQueueStatus>;

/** Makes a queue of the pool {@link AGENT_POOL}, and that pool if it is not there. 409 when the name is taken. */
export const createAgentQueue = endpoint({
  id: "create_work_queue_by_name",
  method: "POST",
  path: "/work_queues/",
  tag: "Work Queues",
  status: 201,
  summary: "Create a work queue that names no pool.",
  body: WorkQueueCreate,
  returns: WorkQueue,
});
/** 404 for an unknown queue. */
export const readWorkQueueById = endpoint({
  id: "read_work_queue_by_id",
  method: "GET",
  path: "/work_queues/:id",
  tag: "Work Queues",
  role: "viewer",
  summary: "Read a work queue by its id.",
  params: byId,
  returns: WorkQueue,
});
/** Looks in the pool {@link AGENT_POOL} only. 404 for an unknown name. */
export const readAgentQueue = endpoint({
  id: "read_work_queue_by_name",
  method: "GET",
  path: "/work_queues/name/:name",
  tag: "Work Queues",
  role: "viewer",
  summary: "Read a work queue that names no pool.",
  params: z.object({ name: z.string() }),
  returns: WorkQueue,
});
/** As {@link updateWorkQueue}: 404 for an unknown queue, 409 when the new name is taken. */
export const updateWorkQueueById = endpoint({
  id: "update_work_queue_by_id",
  method: "PATCH",
  path: "/work_queues/:id",
  tag: "Work Queues",
  status: 204,
  summary: "Change a work queue by its id.",
  params: byId,
  body: WorkQueueUpdate,
});
/** As {@link deleteWorkQueue}: 409 for the default queue of a pool, 404 for an unknown queue. */
export const deleteWorkQueueById = endpoint({
  id: "delete_work_queue_by_id",
  method: "DELETE",
  path: "/work_queues/:id",
  tag: "Work Queues",
  status: 204,
  summary: "Delete a work queue by its id.",
  params: byId,
});
/** By name, at most 200. */
export const filterAllWorkQueues = endpoint({
  id: "filter_all_work_queues",
  method: "POST",
  path: "/work_queues/filter",
  tag: "Work Queues",
  role: "viewer",
  summary: "List work queues of all pools.",
  body: z.object({ work_queues: WorkQueueFilter }).extend(Paging.shape),
  returns: z.array(WorkQueue),
});
/** 404 for an unknown queue. */
export const readWorkQueueStatus = endpoint({
  id: "read_work_queue_status",
  method: "GET",
  path: "/work_queues/:id/status",
  tag: "Work Queues",
  role: "viewer",
  summary: "Say whether a work queue is served in time.",
  params: byId,
  returns: WorkQueueStatus,
});
