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

export const pauseDeployment = endpoint({
  id: "pause_deployment",
  method: "POST",
  path: "/deployments/:id/pause_deployment",
  tag: "Deployments",
  summary: "Stop the schedules of a deployment.",
  params: byId,
});
export const resumeDeployment = endpoint({
  id: "resume_deployment",
  method: "POST",
  path: "/deployments/:id/resume_deployment",
  tag: "Deployments",
  summary: "Let the schedules of a deployment go on.",
  params: byId,
});
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
    min_runs: z.int().nullish(),
    max_runs: z.int().max(LIMITS.scheduledRuns).nullish(),
  }),
});
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
export const deleteDeploymentSchedule = endpoint({
  id: "delete_deployment_schedule",
  method: "DELETE",
  path: "/deployments/:id/schedules/:schedule_id",
  tag: "Deployments",
  status: 204,
  summary: "Delete a schedule of a deployment.",
  params: bySchedule,
});
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
export const bulkDeleteDeployments = endpoint({
  id: "bulk_delete_deployments",
  method: "POST",
  path: "/deployments/bulk_delete",
  tag: "Deployments",
  summary: "Delete the deployments that match, at most 50 at a time; answer which.",
  body: z.object({ deployments: DeploymentFilter, limit: bulkLimit }),
  returns: z.object({ deleted: z.array(DeploymentId) }),
});
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
export const bulkDeleteFlows = endpoint({
  id: "bulk_delete_flows",
  method: "POST",
  path: "/flows/bulk_delete",
  tag: "Flows",
  summary: "Delete the flows that match with their deployments, at most 50 at a time; answer which.",
  body: z.object({ flows: FlowFilter, limit: bulkLimit }),
  returns: z.object({ deleted: z.array(FlowId) }),
});
