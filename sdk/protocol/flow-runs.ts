/** Flow runs: the objects, what may be asked of them, and the operations. */
import { z } from "zod";
import { bounded } from "./bounded.ts";
import { endpoint } from "./endpoint.ts";
import { FlowRunFilters, FlowRunSort, Paging } from "./filters.ts";
import { DeploymentId, FlowId, FlowRunId, StateId, TaskRunId, Uuid, WorkPoolId, WorkQueueId } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { OrchestrationResult, State, StateCreate, StateType } from "./states.ts";
import { WireTime } from "./time.ts";

/** A JSON object whose values the control plane does not look into. */
export const JsonObject = z.record(z.string(), z.unknown());
export type JsonObject = z.infer<typeof JsonObject>;

/** Labels: flat, with scalar values. */
export const Labels = z.record(z.string(), z.union([z.string(), z.boolean(), z.number()]));
export type Labels = z.infer<typeof Labels>;

/** Retries and pauses of one run. `retry_delay` is in seconds. */
export const FlowRunPolicy = z.object({
  /** Of old clients, as is `retry_delay_seconds`: they hold where `retries` and `retry_delay` are null. */
  max_retries: z.int().default(0),
  retry_delay_seconds: z.number().default(0),
  retries: z.int().min(0).max(LIMITS.retries).nullable().default(null),
  retry_delay: z.number().min(0).nullable().default(null),
  /** Pauses that the run has gone through, by their keys: none is entered twice. */
  pause_keys: z.array(z.string()).nullable().default([]),
  /** It goes on after a pause: entering RUNNING is no new attempt. */
  resuming: z.boolean().nullable().default(false),
  /** "in_process": the process that failed waits and goes on itself; such a run is never offered to a worker. */
  retry_type: z.enum(["in_process", "reschedule"]).nullable().default(null),
});
export type FlowRunPolicy = z.infer<typeof FlowRunPolicy>;

/** Who or what made a run. */
export const CreatedBy = z.object({
  id: Uuid.nullable().default(null),
  type: z.string().nullable().default(null),
  display_value: z.string().nullable().default(null),
});
export type CreatedBy = z.infer<typeof CreatedBy>;

/** A flow run as every list and read answers it. Spans are in seconds. */
export const FlowRun = z.object({
  id: FlowRunId,
  created: WireTime,
  updated: WireTime,
  name: z.string(),
  flow_id: FlowId,
  /** Null before the first state, as are `state_type`, `state_name` and `state`. */
  state_id: StateId.nullable(),
  deployment_id: DeploymentId.nullable(),
  deployment_version: z.string().nullable(),
  /** Null outside a work pool, as are the three that follow. */
  work_queue_id: WorkQueueId.nullable(),
  work_queue_name: z.string().nullable(),
  work_pool_id: WorkPoolId.nullable(),
  work_pool_name: z.string().nullable(),
  flow_version: z.string().nullable(),
  parameters: JsonObject,
  idempotency_key: z.string().nullable(),
  context: JsonObject,
  empirical_policy: FlowRunPolicy,
  tags: z.array(z.string()),
  labels: Labels,
  /** The task run that stands for this run in its parent; null for what is no subflow. */
  parent_task_run_id: TaskRunId.nullable(),
  state_type: StateType.nullable(),
  state_name: z.string().nullable(),
  /** How often it entered RUNNING; going on after a pause does not count. */
  run_count: z.int(),
  expected_start_time: WireTime.nullable(),
  /** Null unless it is SCHEDULED. */
  next_scheduled_start_time: WireTime.nullable(),
  start_time: WireTime.nullable(),
  end_time: WireTime.nullable(),
  total_run_time: z.number(),
  /** With the time since it entered RUNNING, which `total_run_time` does not count yet. */
  estimated_run_time: z.number(),
  /** How late it started, or is by now. */
  estimated_start_time_delta: z.number(),
  /** Made by a schedule. */
  auto_scheduled: z.boolean(),
  infrastructure_document_id: Uuid.nullable(),
  /** Where it runs, as its worker calls it; null where none has said. */
  infrastructure_pid: z.string().nullable(),
  created_by: CreatedBy.nullable(),
  job_variables: JsonObject.nullable(),
  state: State.nullable(),
});
export type FlowRun = z.infer<typeof FlowRun>;

const detail = <T extends z.ZodType>(schema: T) => bounded(schema, LIMITS.detailBytes);
const tags = detail(z.array(z.string()).nullish()).transform((value) => value ?? []);
const jsonObject = JsonObject.nullish().transform((value) => value ?? {});
const context = detail(JsonObject.nullish()).transform((value) => value ?? {});
const labels = detail(Labels.nullish()).transform((value) => value ?? {});
const jobVariables = detail(JsonObject.nullish());
const policy = FlowRunPolicy.nullish().transform((value) => value ?? FlowRunPolicy.parse({}));

/** What makes a flow run outside a deployment. */
export const FlowRunCreate = z.object({
  flow_id: FlowId,
  state: StateCreate.nullish(),
  /** An empty name is none: one is made up. */
  name: z.string().max(LIMITS.nameChars).nullish(),
  flow_version: z.string().nullish(),
  parameters: jsonObject,
  context,
  parent_task_run_id: TaskRunId.nullish(),
  infrastructure_document_id: Uuid.nullish(),
  empirical_policy: policy,
  tags,
  labels,
  idempotency_key: z.string().max(LIMITS.keyChars).nullish(),
  work_pool_name: z.string().nullish(),
  work_queue_name: z.string().nullish(),
  job_variables: jobVariables,
  deployment_id: DeploymentId.nullish(),
});
export type FlowRunCreate = z.infer<typeof FlowRunCreate>;

/** What makes a run of a deployment; everything else comes from the deployment. */
export const DeploymentFlowRunCreate = z.object({
  state: StateCreate.nullish(),
  /** An empty name is none: one is made up. */
  name: z.string().max(LIMITS.nameChars).nullish(),
  parameters: jsonObject,
  enforce_parameter_schema: z.boolean().nullish(),
  context,
  infrastructure_document_id: Uuid.nullish(),
  empirical_policy: policy,
  tags,
  labels,
  idempotency_key: z.string().max(LIMITS.keyChars).nullish(),
  parent_task_run_id: TaskRunId.nullish(),
  work_queue_name: z.string().nullish(),
  job_variables: jobVariables,
});
export type DeploymentFlowRunCreate = z.infer<typeof DeploymentFlowRunCreate>;

/** What may be changed on a run directly. An absent key is left as it is. */
export const FlowRunUpdate = z.object({
  name: z.string().min(1).max(LIMITS.nameChars).optional(),
  flow_version: z.string().nullish(),
  parameters: JsonObject.optional(),
  empirical_policy: FlowRunPolicy.optional(),
  tags: detail(z.array(z.string())).optional(),
  infrastructure_pid: z.string().nullish(),
  job_variables: jobVariables,
});
export type FlowRunUpdate = z.infer<typeof FlowRunUpdate>;

/** A proposal of a state. */
export const SetState = z.object({
  state: StateCreate,
  /** Passes over the rules that guard against mistakes; never over those that prevent loss. */
  force: z
    .boolean()
    .nullish()
    .transform((force) => force ?? false),
});
export type SetState = z.infer<typeof SetState>;

const byId = z.object({ id: FlowRunId });

/**
 * Without a state the run is PENDING: its maker executes it. Answers 201, or 200 with the run that has the idempotency
 * key. 404 for an unknown flow, work pool or queue; 422 for parameters of more than 524,288 bytes.
 */
export const createFlowRun = endpoint({
  id: "create_flow_run",
  method: "POST",
  path: "/flow_runs/",
  tag: "Flow Runs",
  status: 201,
  role: "worker",
  summary: "Create a flow run; with a known idempotency key, answer the run that has it.",
  body: FlowRunCreate,
  returns: FlowRun,
});
/** Asks the run's owner, which is ahead of the lists. 404 for an unknown run. */
export const readFlowRun = endpoint({
  id: "read_flow_run",
  method: "GET",
  path: "/flow_runs/:id",
  tag: "Flow Runs",
  role: "viewer",
  summary: "Read one flow run from its owner.",
  params: byId,
  returns: FlowRun,
});
/**
 * 404 for an unknown run; 400 for job variables of a run that is not SCHEDULED or has no deployment; 422 for job
 * variables that do not fit the work pool, or parameters that are too large.
 */
export const updateFlowRun = endpoint({
  id: "update_flow_run",
  method: "PATCH",
  path: "/flow_runs/:id",
  tag: "Flow Runs",
  status: 204,
  role: "worker",
  summary: "Change a flow run's name, tags, parameters or bookkeeping.",
  params: byId,
  body: FlowRunUpdate,
});
/** Deletes it whatever its state; the channel of a process that runs it is closed with 4404. 404 for an unknown run. */
export const deleteFlowRun = endpoint({
  id: "delete_flow_run",
  method: "DELETE",
  path: "/flow_runs/:id",
  tag: "Flow Runs",
  status: 204,
  summary: "Delete a flow run with its task runs, states, logs and artifacts.",
  params: byId,
});
/** 404 for an unknown run, 422 for more than 131,072 bytes of labels. */
export const updateFlowRunLabels = endpoint({
  id: "update_flow_run_labels",
  method: "PATCH",
  path: "/flow_runs/:id/labels",
  tag: "Flow Runs",
  status: 204,
  role: "worker",
  summary: "Add labels to a flow run; those with the same name are replaced.",
  params: byId,
  body: detail(Labels),
});
/**
 * A proposal that is rejected, aborted or has to wait is a verdict and no error. 201 when the answered state was made
 * by this request, otherwise 200; 404 for an unknown run.
 */
export const setFlowRunState = endpoint({
  id: "set_flow_run_state",
  method: "POST",
  path: "/flow_runs/:id/set_state",
  tag: "Flow Runs",
  status: 201,
  role: "worker",
  summary: "Propose a state; the answer says whether it was accepted, replaced, must wait or is refused.",
  params: byId,
  body: SetState,
  returns: OrchestrationResult,
});
/**
 * The newest first unless `sort` says otherwise. A change is listed shortly after it is stored: {@link readFlowRun}
 * knows it at once.
 */
export const filterFlowRuns = endpoint({
  id: "filter_flow_runs",
  method: "POST",
  path: "/flow_runs/filter",
  tag: "Flow Runs",
  role: "viewer",
  summary: "List flow runs.",
  body: FlowRunFilters.extend({ sort: FlowRunSort.nullish() }).extend(Paging.shape),
  returns: z.array(FlowRun),
});
/** Counts all that match; without filters, all flow runs. */
export const countFlowRuns = endpoint({
  id: "count_flow_runs",
  method: "POST",
  path: "/flow_runs/count",
  tag: "Flow Runs",
  role: "viewer",
  summary: "Count flow runs.",
  body: FlowRunFilters,
  returns: z.int(),
});
/** 404 for an unknown run. */
export const readFlowRunStates = endpoint({
  id: "read_flow_run_states",
  method: "GET",
  path: "/flow_run_states/",
  tag: "Flow Run States",
  role: "viewer",
  summary: "List the states that a flow run went through, oldest first.",
  query: z.object({ flow_run_id: FlowRunId }),
  returns: z.array(State),
});
