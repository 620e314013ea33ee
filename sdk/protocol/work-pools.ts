/** Work pools, their queues, and the workers that are connected to them. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { Paging, WorkerFilter, WorkPoolFilter, WorkQueueFilter } from "./filters.ts";
import { JsonObject } from "./flow-runs.ts";
import { Uuid, WorkPoolId, WorkQueueId } from "./ids.ts";
import { BaseJobTemplate } from "./job-template.ts";
import { LIMITS } from "./limits.ts";
import { Name } from "./names.ts";
import { LenientTime, WireTime } from "./time.ts";

export const WorkPool = z.object({
  id: WorkPoolId,
  created: WireTime,
  updated: WireTime,
  name: z.string(),
  description: z.string().nullable(),
  type: z.string(),
  base_job_template: JsonObject,
  is_paused: z.boolean(),
  concurrency_limit: z.int().nullable(),
  /** Null for a pool of agents. */
  status: z.enum(["READY", "NOT_READY", "PAUSED"]).nullable(),
  default_queue_id: WorkQueueId,
  storage_configuration: JsonObject,
  active_slots: z.int().nullable(),
});
export type WorkPool = z.infer<typeof WorkPool>;

export const WorkPoolCreate = z.object({
  name: Name,
  description: z.string().nullish(),
  type: z.string().min(1).nullish(),
  base_job_template: BaseJobTemplate.nullish(),
  is_paused: z.boolean().nullish(),
  concurrency_limit: z.int().min(0).nullish(),
  storage_configuration: JsonObject.nullish(),
});
export type WorkPoolCreate = z.infer<typeof WorkPoolCreate>;

/** An absent key is left as it is. */
export const WorkPoolUpdate = WorkPoolCreate.omit({ name: true, type: true }).partial();
export type WorkPoolUpdate = z.infer<typeof WorkPoolUpdate>;

export const WorkQueue = z.object({
  id: WorkQueueId,
  created: WireTime,
  updated: WireTime,
  name: z.string(),
  description: z.string(),
  is_paused: z.boolean(),
  concurrency_limit: z.int().nullable(),
  /** Lower numbers first. */
  priority: z.int(),
  work_pool_id: WorkPoolId,
  work_pool_name: z.string(),
  filter: JsonObject.nullable(),
  last_polled: WireTime.nullable(),
  status: z.enum(["READY", "NOT_READY", "PAUSED"]),
  active_slots: z.int().nullable(),
});
export type WorkQueue = z.infer<typeof WorkQueue>;

export const WorkQueueCreate = z.object({
  name: Name,
  description: z.string().nullish(),
  is_paused: z.boolean().nullish(),
  concurrency_limit: z.int().min(0).nullish(),
  priority: z.int().min(1).nullish(),
  /** Of Prefect's agents, before there were work pools; ignored. */
  filter: z.object({ tags: z.array(z.string()).nullish(), deployment_ids: z.array(Uuid).nullish() }).nullish(),
});
export type WorkQueueCreate = z.infer<typeof WorkQueueCreate>;

/** An absent key is left as it is. */
export const WorkQueueUpdate = WorkQueueCreate.partial().extend({
  /** Of Prefect's agents, too; ignored: the time of a poll is taken when it comes. */
  last_polled: LenientTime.nullish(),
});

export const Worker = z.object({
  id: Uuid,
  created: WireTime,
  updated: WireTime,
  name: z.string(),
  work_pool_id: WorkPoolId,
  last_heartbeat_time: WireTime.nullable(),
  heartbeat_interval_seconds: z.int().nullable(),
  status: z.enum(["ONLINE", "OFFLINE"]),
});
export type Worker = z.infer<typeof Worker>;

/** How a worker without a channel shows that it is alive. Three intervals without one, and it counts as offline. */
export const WorkerHeartbeat = z.object({
  name: z.string().min(1).max(LIMITS.nameChars),
  /** Default: 30. */
  heartbeat_interval_seconds: z.int().min(1).max(86_400).nullish(),
});
export type WorkerHeartbeat = z.infer<typeof WorkerHeartbeat>;

const byName = z.object({ name: z.string() });
const byQueue = z.object({ name: z.string(), queue: z.string() });

export const createWorkPool = endpoint({
  id: "create_work_pool",
  method: "POST",
  path: "/work_pools/",
  tag: "Work Pools",
  status: 201,
  summary: "Create a work pool with its default queue.",
  body: WorkPoolCreate,
  returns: WorkPool,
});
export const readWorkPool = endpoint({
  id: "read_work_pool",
  method: "GET",
  path: "/work_pools/:name",
  tag: "Work Pools",
  role: "viewer",
  summary: "Read a work pool.",
  params: byName,
  returns: WorkPool,
});
export const updateWorkPool = endpoint({
  id: "update_work_pool",
  method: "PATCH",
  path: "/work_pools/:name",
  tag: "Work Pools",
  status: 204,
  summary: "Change, pause or resume a work pool.",
  params: byName,
  body: WorkPoolUpdate,
});
export const deleteWorkPool = endpoint({
  id: "delete_work_pool",
  method: "DELETE",
  path: "/work_pools/:name",
  tag: "Work Pools",
  status: 204,
  summary: "Delete a work pool with its queues.",
  params: byName,
});
export const filterWorkPools = endpoint({
  id: "filter_work_pools",
  method: "POST",
  path: "/work_pools/filter",
  tag: "Work Pools",
  role: "viewer",
  summary: "List work pools.",
  body: z.object({ work_pools: WorkPoolFilter }).extend(Paging.shape),
  returns: z.array(WorkPool),
});
export const countWorkPools = endpoint({
  id: "count_work_pools",
  method: "POST",
  path: "/work_pools/count",
  tag: "Work Pools",
  role: "viewer",
  summary: "Count work pools.",
  body: z.object({ work_pools: WorkPoolFilter }),
  returns: z.int(),
});
export const createWorkQueue = endpoint({
  id: "create_work_queue",
  method: "POST",
  path: "/work_pools/:name/queues",
  tag: "Work Pools",
  status: 201,
  summary: "Create a queue of a work pool.",
  params: byName,
  body: WorkQueueCreate,
  returns: WorkQueue,
});
export const readWorkQueue = endpoint({
  id: "read_work_queue",
  method: "GET",
  path: "/work_pools/:name/queues/:queue",
  tag: "Work Pools",
  role: "viewer",
  summary: "Read a queue of a work pool.",
  params: byQueue,
  returns: WorkQueue,
});
export const filterWorkQueues = endpoint({
  id: "filter_work_queues",
  method: "POST",
  path: "/work_pools/:name/queues/filter",
  tag: "Work Pools",
  role: "viewer",
  summary: "List the queues of a work pool.",
  params: byName,
  body: z.object({ work_queues: WorkQueueFilter }).extend(Paging.shape),
  returns: z.array(WorkQueue),
});
export const updateWorkQueue = endpoint({
  id: "update_work_queue",
  method: "PATCH",
  path: "/work_pools/:name/queues/:queue",
  tag: "Work Pools",
  status: 204,
  summary: "Change a queue of a work pool.",
  params: byQueue,
  body: WorkQueueUpdate,
});
export const deleteWorkQueue = endpoint({
  id: "delete_work_queue",
  method: "DELETE",
  path: "/work_pools/:name/queues/:queue",
  tag: "Work Pools",
  status: 204,
  summary: "Delete a queue of a work pool; not its default queue.",
  params: byQueue,
});
export const filterWorkers = endpoint({
  id: "filter_workers",
  method: "POST",
  path: "/work_pools/:name/workers/filter",
  tag: "Work Pools",
  role: "viewer",
  summary: "List the workers of a work pool.",
  params: byName,
  body: z.object({ workers: WorkerFilter }).extend(Paging.shape),
  returns: z.array(Worker),
});
export const deleteWorker = endpoint({
  id: "delete_worker",
  method: "DELETE",
  path: "/work_pools/:name/workers/:worker",
  tag: "Work Pools",
  status: 204,
  summary: "Forget a worker of a work pool; one that is alive is listed again when it shows itself.",
  params: z.object({ name: z.string(), worker: z.string() }),
});
export const sendWorkerHeartbeat = endpoint({
  id: "worker_heartbeat",
  method: "POST",
  path: "/work_pools/:name/workers/heartbeat",
  tag: "Work Pools",
  status: 204,
  role: "worker",
  summary: "Show that a worker without a channel is alive; one that is not known yet is recorded.",
  params: byName,
  body: WorkerHeartbeat,
});
