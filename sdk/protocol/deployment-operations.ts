/** What is done with deployments besides reading and writing one: their schedules, pausing, and many at once. */
import { z } from "zod";
import {
  Deployment,
  DeploymentSchedule,
  DeploymentScheduleCreate,
  DeploymentScheduleUpdate,
  DeploymentSort,
} from "./deployments.ts";
import { endpoint } from "./endpoint.ts";
import { DeploymentFilter, FlowFilter, FlowRunFilters, PageNumber, paginated } from "./filters.ts";
import { DeploymentFlowRunCreate } from "./flow-runs.ts";
import { Flow, FlowSort } from "./flows.ts";
import { DeploymentId, FlowId, FlowRunId, Uuid } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { LenientTime } from "./time.ts";
import { WorkQueue } from "./work-pools.ts";

const byId = z.object({ id: DeploymentId });
const bySchedule = z.object({ id: DeploymentId, schedule_id: Uuid });
const bulkLimit = z.int().min(1).max(LIMITS.bulkRows).nullish();

/**
 * None of its schedules makes runs any more. Those that were made ahead and have not begun are removed; runs can still
 * be made by hand. 404 when there is none.
 */
export const pauseDeployment = endpoint({
  id: "pause_deployment",
  method: "POST",
  path: "/deployments/:id/pause_deployment",
  tag: "Deployments",
  summary: "Stop the schedules of a deployment.",
  params: byId,
});
/** The next runs of its active schedules are made at once. 404 when there is none. */
export const resumeDeployment = endpoint({
  id: "resume_deployment",
  method: "POST",
  path: "/deployments/:id/resume_deployment",
  tag: "Deployments",
  summary: "Let the schedules of a deployment go on.",
  params: byId,
});
/**
 * Works while the deployment is paused, too. A time that has its run already gets no other one. 404 when there is none.
 */
export const scheduleDeployment = endpoint({
  id: "schedule_deployment",
  method: "POST",
  path: "/deployments/:id/schedule",
  tag: "Deployments",
  summary: "Make the runs that the active schedules of a deployment have in a span of time, past or future.",
  params: byId,
  body: z.object({
    /** Now unless said. */
    start_time: LenientTime.nullish(),
    /** 100 days after the start unless said. */
    end_time: LenientTime.nullish(),
    /** Runs are made at least until so many seconds after the start. */
    min_time: z.number().nullish(),
    /** At least so many of each schedule; 3 unless said. */
    min_runs: z.int().nullish(),
    /** At most so many of each schedule; 100 unless said. */
    max_runs: z.int().max(LIMITS.scheduledRuns).nullish(),
  }),
});
/** The oldest first. 404 when there is no such deployment. */
export const readDeploymentSchedules = endpoint({
  id: "read_deployment_schedules",
  method: "GET",
  path: "/deployments/:id/schedules",
  tag: "Deployments",
  role: "viewer",
  summary: "List the schedules of a deployment.",
  params: byId,
  returns: z.array(DeploymentSchedule),
});
/**
 * All of them or none. 404 when there is no such deployment; 409 when a slug is taken in it; 422 for a schedule that
 * cannot be followed.
 */
export const createDeploymentSchedules = endpoint({
  id: "create_deployment_schedules",
  method: "POST",
  path: "/deployments/:id/schedules",
  tag: "Deployments",
  status: 201,
  summary: "Add schedules to a deployment.",
  params: byId,
  body: z.array(DeploymentScheduleCreate),
  returns: z.array(DeploymentSchedule),
});
/**
 * Runs that were made ahead by the old schedule are replaced by those of the new one. 404 for an unknown deployment or
 * schedule; 409 when the slug is taken; 422 for a schedule that cannot be followed.
 */
export const updateDeploymentSchedule = endpoint({
  id: "update_deployment_schedule",
  method: "PATCH",
  path: "/deployments/:id/schedules/:schedule_id",
  tag: "Deployments",
  status: 204,
  summary: "Change a schedule of a deployment.",
  params: bySchedule,
  body: DeploymentScheduleUpdate,
});
/** Runs that it made ahead and that have not begun go with it. 404 for an unknown deployment or schedule. */
export const deleteDeploymentSchedule = endpoint({
  id: "delete_deployment_schedule",
  method: "DELETE",
  path: "/deployments/:id/schedules/:schedule_id",
  tag: "Deployments",
  status: 204,
  summary: "Delete a schedule of a deployment.",
  params: bySchedule,
});
/** As `filterDeployments`, with the number of all rows. 200 to a page unless less is asked for. */
export const paginateDeployments = endpoint({
  id: "paginate_deployments",
  method: "POST",
  path: "/deployments/paginate",
  tag: "Deployments",
  role: "viewer",
  summary: "List deployments by the number of a page.",
  body: FlowRunFilters.extend({ sort: DeploymentSort.nullish() }).extend(PageNumber.shape),
  returns: paginated(Deployment),
});
/**
 * Without a filter every deployment matches, 50 at a time unless less is asked for. Each is deleted as by
 * `deleteDeployment`; call it until none is answered.
 */
export const bulkDeleteDeployments = endpoint({
  id: "bulk_delete_deployments",
  method: "POST",
  path: "/deployments/bulk_delete",
  tag: "Deployments",
  summary: "Delete the deployments that match, at most 50 at a time; answer which.",
  body: z.object({ deployments: DeploymentFilter, limit: bulkLimit }),
  returns: z.object({ deleted: z.array(DeploymentId) }),
});
/**
 * Each request stands for itself: one that fails has its message in `error`, and no run. 400 for more than 100
 * requests; 404 when there is no such deployment.
 */
export const bulkCreateFlowRuns = endpoint({
  id: "bulk_create_flow_runs_from_deployment",
  method: "POST",
  path: "/deployments/:id/create_flow_run/bulk",
  tag: "Deployments",
  summary: "Run a deployment up to 100 times; answer what became of each request.",
  params: byId,
  body: z.array(DeploymentFlowRunCreate),
  returns: z.object({
    results: z.array(
      z.object({
        flow_run_id: FlowRunId.nullable(),
        status: z.enum(["CREATED", "FAILED"]),
        error: z.string().nullable(),
      }),
    ),
  }),
});
/** One queue, or none for a deployment without a work pool. 404 when there is no such deployment. */
export const checkWorkQueues = endpoint({
  id: "work_queue_check_for_deployment",
  method: "GET",
  path: "/deployments/:id/work_queue_check",
  tag: "Deployments",
  role: "viewer",
  summary: "List the work queues whose workers take the runs of a deployment.",
  params: byId,
  returns: z.array(WorkQueue),
});
/** As the list of flows, with the number of all rows. 200 to a page unless less is asked for. */
export const paginateFlows = endpoint({
  id: "paginate_flows",
  method: "POST",
  path: "/flows/paginate",
  tag: "Flows",
  role: "viewer",
  summary: "List flows by the number of a page.",
  body: FlowRunFilters.extend({ sort: FlowSort.nullish() }).extend(PageNumber.shape),
  returns: paginated(Flow),
});
/**
 * Without a filter every flow matches, 50 at a time unless less is asked for. Runs of the flows are deleted, too; call
 * it until none is answered.
 */
export const bulkDeleteFlows = endpoint({
  id: "bulk_delete_flows",
  method: "POST",
  path: "/flows/bulk_delete",
  tag: "Flows",
  summary: "Delete the flows that match with their deployments, at most 50 at a time; answer which.",
  body: z.object({ flows: FlowFilter, limit: bulkLimit }),
  returns: z.object({ deleted: z.array(FlowId) }),
});
