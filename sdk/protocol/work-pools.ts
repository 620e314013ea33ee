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

/** A work pool. A null `concurrency_limit` is none, and `active_slots` is null then. */
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

/**
 * A work pool that is to be made: by default of the type "process", not paused and without a limit. A limit of 0 lets
 * nothing run.
 */
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

/** A queue of a work pool. A null `concurrency_limit` is none, and `active_slots` is null then. */
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
  /** Of Prefect's agents, before there were work pools; always null. */
  filter: JsonObject.nullable(),
  /** Null: no worker that polls has asked yet. */
  last_polled: WireTime.nullable(),
  status: z.enum(["READY", "NOT_READY", "PAUSED"]),
  active_slots: z.int().nullable(),
});
export type WorkQueue = z.infer<typeof WorkQueue>;

/** A queue that is to be made: by default not paused, without a limit, and behind all others of its pool. */
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

/** A worker of a pool: ONLINE while it is connected, or was heard of within three of its intervals. */
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

/**
 * 409 when the name is taken, 403 for a name that begins with "prefect", 422 for a template whose variables are not
 * declared or, of an http pool, whose URL may not be called.
 */
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
/** 404 for an unknown pool. */
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
/**
 * A null description or limit takes it away; other nulls change nothing. 404 for an unknown pool, 422 for a template as
 * in {@link createWorkPool}.
 */
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
/** Its workers are sent away, its deployments left without a pool. 404 for an unknown pool. */
export const deleteWorkPool = endpoint({
  id: "delete_work_pool",
  method: "DELETE",
  path: "/work_pools/:name",
  tag: "Work Pools",
  status: 204,
  summary: "Delete a work pool with its queues.",
  params: byName,
});
/** By name, at most 200. */
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
/** Counts what {@link filterWorkPools} would list without a limit. */
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
/**
 * A queue that has the priority moves back, and those behind it as far as they must. 404 for an unknown pool, 409 when
 * it has a queue of this name.
 */
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
/** 404 for an unknown pool or queue. */
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
/** By priority, then by name, at most 200. 404 for an unknown pool. */
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
/**
 * A null limit takes it away; other nulls change nothing. 404 for an unknown pool or queue, 409 when the new name is
 * taken.
 */
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
/** 409 for the default queue, which goes with its pool only; 404 for an unknown pool or queue. */
export const deleteWorkQueue = endpoint({
  id: "delete_work_queue",
  method: "DELETE",
  path: "/work_pools/:name/queues/:queue",
  tag: "Work Pools",
  status: 204,
  summary: "Delete a queue of a work pool; not its default queue.",
  params: byQueue,
});
/** By name, at most 200, those that are offline among them. 404 for an unknown pool. */
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
/** 404 for an unknown pool or worker. */
export const deleteWorker = endpoint({
  id: "delete_worker",
  method: "DELETE",
  path: "/work_pools/:name/workers/:worker",
  tag: "Work Pools",
  status: 204,
  summary: "Forget a worker of a work pool; one that is alive is listed again when it shows itself.",
  params: z.object({ name: z.string(), worker: z.string() }),
});
/** The token of a run is not enough (403). 404 for an unknown pool. */
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
