/** Deployments: a flow with where its code is, its parameters, its schedules and the pool that runs it. */
import { z } from "zod";
import { GlobalConcurrencyLimit } from "./concurrency-limits.ts";
import { endpoint } from "./endpoint.ts";
import { FlowRunFilters, Paging } from "./filters.ts";
import { CreatedBy, DeploymentFlowRunCreate, FlowRun, JsonObject, Labels } from "./flow-runs.ts";
import { DeploymentId, FlowId, Uuid, WorkQueueId } from "./ids.ts";
import { Name } from "./names.ts";
import { SchedulePolicyChange } from "./schedule-policies.ts";
import { WireTime } from "./time.ts";

/** When a deployment runs: a cron expression, an interval in seconds, or an RFC 5545 recurrence rule. */
export const Schedule = z.union([
  z.object({
    cron: z.string().min(1),
    timezone: z.string().nullish(),
    day_or: z.boolean().nullish(),
  }),
  z.object({
    /** From a microsecond to what upstream's spans hold. */
    interval: z.number().min(1e-6).max(86_399_999_999_999),
    anchor_date: WireTime.nullish(),
    timezone: z.string().nullish(),
  }),
  z.object({
    rrule: z.string().min(1).max(6_500),
    timezone: z.string().nullish(),
  }),
]);
export type Schedule = z.infer<typeof Schedule>;

/** A schedule that a deployment is to have. It is active unless said. */
export const DeploymentScheduleCreate = z.object({
  schedule: Schedule,
  active: z.boolean().nullish(),
  /** Kept for upstream's clients; how many runs are made ahead does not depend on it. */
  max_scheduled_runs: z.int().min(1).max(50).nullish(),
  /** Over those of the deployment. */
  parameters: JsonObject.nullish(),
  /** Names it among the schedules of the deployment. */
  slug: z.string().nullish(),
  /** The slug under which the deployment has this schedule so far, when it is changed. */
  replaces: z.string().nullish(),
  /** What it does beyond Prefect's. It is taken here, and read at an address of its own. */
  policy: SchedulePolicyChange.nullish(),
});
export type DeploymentScheduleCreate = z.infer<typeof DeploymentScheduleCreate>;

/** An absent key is left as it is. */
export const DeploymentScheduleUpdate = DeploymentScheduleCreate.partial();
export type DeploymentScheduleUpdate = z.infer<typeof DeploymentScheduleUpdate>;

/** The schedules of one deployment: a slug names one of them. */
const schedulesOf = <T extends z.ZodType<{ slug?: string | null | undefined }>>(schedule: T) =>
  z.array(schedule).superRefine((all, context) => {
    const seen = new Set<string>();
    for (const [index, { slug }] of all.entries()) {
      if (slug == null) continue;
      if (seen.has(slug))
        context.addIssue({ code: "custom", path: [index, "slug"], message: "names another schedule" });
      seen.add(slug);
    }
  });

/** A schedule of a deployment. Its runs are made while it is active and the deployment is not paused. */
export const DeploymentSchedule = z.object({
  id: Uuid,
  created: WireTime,
  updated: WireTime,
  deployment_id: DeploymentId,
  schedule: Schedule,
  active: z.boolean(),
  max_scheduled_runs: z.int().nullable(),
  parameters: JsonObject,
  /** Null for one that has no name. */
  slug: z.string().nullable(),
});
export type DeploymentSchedule = z.infer<typeof DeploymentSchedule>;

/** How the runs of a deployment share its concurrency limit. */
export const ConcurrencyOptions = z.object({
  /** What becomes of a run for which there is no slot: it waits, or it is cancelled. */
  collision_strategy: z.enum(["ENQUEUE", "CANCEL_NEW"]),
  /** For how many seconds a claimed run holds its slot until it starts. Default: 300. */
  grace_period_seconds: z.int().min(60).max(86_400).nullish(),
});
export type ConcurrencyOptions = z.infer<typeof ConcurrencyOptions>;

/** What no list filters by: stored and answered as it is. */
export const DeploymentDetails = z.object({
  version: z.string().nullable(),
  description: z.string().nullable(),
  /** Always null, as upstream: {@link Deployment.global_concurrency_limit} says it. */
  concurrency_limit: z.int().nullable(),
  concurrency_options: ConcurrencyOptions.nullable(),
  job_variables: JsonObject,
  parameters: JsonObject,
  labels: Labels,
  parameter_openapi_schema: JsonObject.nullable(),
  /** The folder of the code where it is run; null for the worker's own. */
  path: z.string().nullable(),
  /** What a worker does to get the code; null or empty for nothing. */
  pull_steps: z.array(JsonObject).nullable(),
  /** `path/to/file:name` of the flow, from `path` on. */
  entrypoint: z.string().nullable(),
  storage_document_id: Uuid.nullable(),
  infrastructure_document_id: Uuid.nullable(),
  /** Null unless known, as `updated_by`. */
  created_by: CreatedBy.nullable(),
  updated_by: CreatedBy.nullable(),
  /** Whether parameters that do not fit `parameter_openapi_schema` are refused. */
  enforce_parameter_schema: z.boolean(),
});
export type DeploymentDetails = z.infer<typeof DeploymentDetails>;

/** A flow that can be run from elsewhere: how it is run, where, and when. */
export const Deployment = DeploymentDetails.extend({
  id: DeploymentId,
  created: WireTime,
  updated: WireTime,
  name: z.string(),
  flow_id: FlowId,
  paused: z.boolean(),
  schedules: z.array(DeploymentSchedule),
  /** The limit whose slots its runs take; of its own, or shared. */
  global_concurrency_limit: GlobalConcurrencyLimit.nullable(),
  tags: z.array(z.string()),
  work_queue_name: z.string().nullable(),
  work_queue_id: WorkQueueId.nullable(),
  work_pool_name: z.string().nullable(),
  /** When a process last asked for its runs; null for never. */
  last_polled: WireTime.nullable(),
  /**
   * READY when somebody is there to run it: a worker of its pool is online, the pool pushes, or it was polled within
   * the last minute.
   */
  status: z.enum(["READY", "NOT_READY"]),
});
export type Deployment = z.infer<typeof Deployment>;

const deploymentFields = z.object({
  /** It stands behind the flow's name and a slash where people name the deployment. */
  name: Name,
  flow_id: FlowId,
  /** Default: false. */
  paused: z.boolean().nullish(),
  schedules: schedulesOf(DeploymentScheduleCreate).nullish(),
  /** Runs at the same time, by a limit of the deployment's own; null takes it away. */
  concurrency_limit: z.int().min(1).nullish(),
  concurrency_options: ConcurrencyOptions.nullish(),
  /** What Prefect's client knows of its source; its `version` comes as `version`, too. Not kept, as upstream. */
  version_info: z.looseObject({ type: z.string(), version: z.string() }).nullish(),
  /** A limit that other deployments may share. */
  global_concurrency_limit_id: Uuid.nullish(),
  /** Default: true. */
  enforce_parameter_schema: z.boolean().nullish(),
  parameter_openapi_schema: JsonObject.nullish(),
  parameters: JsonObject.nullish(),
  tags: z.array(z.string()).nullish(),
  labels: Labels.nullish(),
  pull_steps: z.array(JsonObject).nullish(),
  /** Default: that of the pool. */
  work_queue_name: z.string().nullish(),
  /** Null or absent for none: the process that serves the deployment runs it. */
  work_pool_name: z.string().nullish(),
  storage_document_id: Uuid.nullish(),
  infrastructure_document_id: Uuid.nullish(),
  description: z.string().nullish(),
  path: z.string().nullish(),
  version: z.string().nullish(),
  entrypoint: z.string().nullish(),
  job_variables: JsonObject.nullish(),
});

/** One limit at most. */
const hasOneLimit = (value: {
  readonly concurrency_limit?: number | null | undefined;
  readonly global_concurrency_limit_id?: string | null | undefined;
}): boolean => !(value.concurrency_limit && value.global_concurrency_limit_id);
const twoLimits = "A deployment cannot have both a concurrency limit and a global concurrency limit.";

/**
 * What a deployment is to be. Where the flow has one of the name already, absent keys leave that one as it is and null
 * sets the default; but its schedules are replaced by those that are given, or by none.
 */
export const DeploymentCreate = deploymentFields.refine(hasOneLimit, twoLimits);
export type DeploymentCreate = z.infer<typeof DeploymentCreate>;

/** An absent key is left as it is. */
export const DeploymentUpdate = deploymentFields
  .omit({ name: true, flow_id: true })
  .partial()
  .extend({ schedules: schedulesOf(DeploymentScheduleUpdate).nullish() })
  .refine(hasOneLimit, twoLimits);
export type DeploymentUpdate = z.infer<typeof DeploymentUpdate>;

/** NAME_ASC is the default. */
export const DeploymentSort = z.enum(["CREATED_DESC", "UPDATED_DESC", "NAME_ASC", "NAME_DESC"]);
export type DeploymentSort = z.infer<typeof DeploymentSort>;

const byId = z.object({ id: DeploymentId });

/**
 * The next runs of its schedules are made at once. 200 instead of 201 where it was there already. 404 for an unknown
 * flow, work pool or limit; a queue that there is not is made. 422 for a schedule that cannot be followed, or job
 * variables that do not fit the pool's.
 */
export const createDeployment = endpoint({
  id: "create_deployment",
  method: "POST",
  path: "/deployments/",
  tag: "Deployments",
  status: 201,
  summary: "Create a deployment, or change the one that its flow has under the name.",
  body: DeploymentCreate,
  returns: Deployment,
});
/** One deployment by its id. 404 when there is none. */
export const readDeployment = endpoint({
  id: "read_deployment",
  method: "GET",
  path: "/deployments/:id",
  tag: "Deployments",
  role: "viewer",
  summary: "Read a deployment.",
  params: byId,
  returns: Deployment,
});
/** What people write as `flow/deployment`. 404 when there is none. */
export const readDeploymentByName = endpoint({
  id: "read_deployment_by_name",
  method: "GET",
  path: "/deployments/name/:flow/:deployment",
  tag: "Deployments",
  role: "viewer",
  summary: "Read a deployment by the names of its flow and itself.",
  params: z.object({ flow: z.string(), deployment: z.string() }),
  returns: Deployment,
});
/**
 * Runs that its schedules made ahead are made anew. Schedules that are given replace those that are there, unless these
 * all have slugs: then each is matched by its slug, and the others stay. 404 and 422 as {@link createDeployment}; 422
 * also for slugs that are missing or taken.
 */
export const updateDeployment = endpoint({
  id: "update_deployment",
  method: "PATCH",
  path: "/deployments/:id",
  tag: "Deployments",
  status: 204,
  summary: "Change a deployment.",
  params: byId,
  body: DeploymentUpdate,
});
/** A concurrency limit of its own goes with it, one that others share stays. 404 when there is none. */
export const deleteDeployment = endpoint({
  id: "delete_deployment",
  method: "DELETE",
  path: "/deployments/:id",
  tag: "Deployments",
  status: 204,
  summary: "Delete a deployment with its schedules and scheduled runs. Runs that have begun stay.",
  params: byId,
});
/** Filters of flows, runs, pools and queues ask for deployments that have such a one. */
export const filterDeployments = endpoint({
  id: "filter_deployments",
  method: "POST",
  path: "/deployments/filter",
  tag: "Deployments",
  role: "viewer",
  summary: "List deployments.",
  body: FlowRunFilters.extend({ sort: DeploymentSort.nullish() }).extend(Paging.shape),
  returns: z.array(Deployment),
});
/** As many as {@link filterDeployments} lists on all its pages. */
export const countDeployments = endpoint({
  id: "count_deployments",
  method: "POST",
  path: "/deployments/count",
  tag: "Deployments",
  role: "viewer",
  summary: "Count deployments.",
  body: FlowRunFilters,
  returns: z.int(),
});
/**
 * 200 with the run that is there already where the idempotency key was used. What the request leaves open comes from
 * the deployment. 404 when there is none. 409 when parameters do not fit its schema and it enforces that. 422 when job
 * variables do not fit the pool's, or parameters are larger than 512 KiB. 400 for a placeholder in the parameters that
 * stands for nothing, or a queue where there is no pool.
 */
export const createFlowRunFromDeployment = endpoint({
  id: "create_flow_run_from_deployment",
  method: "POST",
  path: "/deployments/:id/create_flow_run",
  tag: "Deployments",
  // A run may start runs of other deployments.
  role: "worker",
  status: 201,
  summary: "Run a deployment: now, or at the scheduled time of the given state.",
  params: byId,
  body: DeploymentFlowRunCreate,
  returns: FlowRun,
});
