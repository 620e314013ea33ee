/** How workers without a channel ask for work: Prefect's own, which poll. A listed run is claimed by proposing PENDING. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { Paging } from "./filters.ts";
import { FlowRun } from "./flow-runs.ts";
import { DeploymentId, WorkPoolId, WorkQueueId } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { LenientTime } from "./time.ts";

const limit = Paging.shape.limit;

/** A run that waits, with where it waits. */
export const WaitingFlowRun = z.object({ work_pool_id: WorkPoolId, work_queue_id: WorkQueueId, flow_run: FlowRun });
export type WaitingFlowRun = z.infer<typeof WaitingFlowRun>;

/**
 * Claims nothing: a run may be listed to several workers. Without `scheduled_before`, future runs are listed, too.
 * Nothing waits in a pool or queue that is paused, nor beyond the free slots of one with a limit. At most 200 runs;
 * without `work_queue_names`, of all queues. 404 for an unknown pool or queue; the token of a run is not enough (403).
 */
export const pollWorkPool = endpoint({
  id: "get_scheduled_flow_runs",
  method: "POST",
  path: "/work_pools/:name/get_scheduled_flow_runs",
  tag: "Work Pools",
  role: "worker",
  summary: "List the runs that wait in a work pool, by the priority of their queues and their time.",
  params: z.object({ name: z.string() }),
  body: z.object({
    work_queue_names: z.array(z.string()).nullish(),
    scheduled_before: LenientTime.nullish(),
    scheduled_after: LenientTime.nullish(),
    limit,
  }),
  returns: z.array(WaitingFlowRun),
});
/**
 * Claims nothing. Also runs that are in a work pool, but none whose own process waits for its retry. At most 200;
 * unknown deployments have no runs.
 */
export const pollDeployments = endpoint({
  id: "get_scheduled_flow_runs_for_deployments",
  method: "POST",
  path: "/deployments/get_scheduled_flow_runs",
  tag: "Deployments",
  role: "worker",
  summary: "List the scheduled runs of deployments, by their time: for a process that serves them.",
  body: z.object({
    deployment_ids: z.array(DeploymentId).max(LIMITS.pageRows),
    scheduled_before: LenientTime.nullish(),
    limit,
  }),
  returns: z.array(FlowRun),
});
/** Claims nothing. What waits in a queue is as for {@link pollWorkPool}. 404 for an unknown queue. */
export const pollWorkQueue = endpoint({
  id: "read_work_queue_runs",
  method: "POST",
  path: "/work_queues/:id/get_runs",
  tag: "Work Queues",
  role: "worker",
  summary: "List the runs that wait in a work queue.",
  params: z.object({ id: WorkQueueId }),
  body: z.object({ scheduled_before: LenientTime.nullish(), limit }),
  returns: z.array(FlowRun),
});
