/**
 * Filters as SQL. Each criterion becomes one condition; lists travel as one JSON parameter, since D1 binds a hundred.
 * Filters of other resources become `EXISTS` or `IN` over their tables. Nothing is filtered in memory.
 */
import { and, type Column, eq, inArray, isNotNull, isNull, or, type SQL, sql } from "drizzle-orm";
import type { z } from "zod";
import type {
  DeploymentFilter,
  FlowFilter,
  FlowRunFilter,
  FlowRunFilters,
  IdFilter,
  NameFilter,
  NullableIdFilter,
  StateFilter,
  TagsFilter,
  TaskRunFilter,
  TimeFilter,
  WorkerFilter,
  WorkPoolFilter,
  WorkQueueFilter,
} from "#protocol/filters";
import { fromWireTime } from "#protocol/time";
import type { VariableFilter } from "#protocol/variables";
import { deployments } from "./schema/deployments.ts";
import { flowRuns, taskRuns } from "./schema/flow-runs.ts";
import { flows } from "./schema/flows.ts";
import { variables } from "./schema/variables.ts";
import { workers, workPools, workQueues } from "./schema/work-pools.ts";

type Of<T extends z.ZodType> = z.infer<T>;
type Condition = SQL | undefined;

/** True for the rows whose column is in the list; false for all when the list is empty. */
export function oneOf(column: Column | SQL, values: readonly string[]): SQL {
  // Equality lets an index give the rows in the order of the rest of its key, and a page of them without a sort.
  if (values.length === 1) return sql`${column} = ${values[0]}`;
  return sql`${column} IN (SELECT value FROM json_each(${JSON.stringify(values)}))`;
}

/** False, as upstream, for rows that have no value at all: what is unknown is not known to be another. */
export function noneOf(column: Column | SQL, values: readonly string[]): SQL {
  return sql`${column} NOT IN (SELECT value FROM json_each(${JSON.stringify(values)}))`;
}

/** The longest pattern that D1 takes. */
const LIKE_PATTERN_BYTES = 50;

/**
 * Contains, whatever the case of its ASCII letters, as upstream on SQLite: `%` and `_` in the text are wildcards. D1
 * limits patterns, so a long text is looked for as it is written.
 */
export function contains(column: Column | SQL, text: string): SQL {
  const pattern = `%${text}%`;
  const isPattern = /[%_]/.test(text) && new TextEncoder().encode(pattern).byteLength <= LIKE_PATTERN_BYTES;
  // SQLite lowers both sides: its lower() knows ASCII only, unlike JavaScript's.
  return isPattern ? sql`${column} LIKE ${pattern}` : sql`instr(lower(${column}), lower(${text})) > 0`;
}

function join(operator: "and_" | "or_" | null | undefined, conditions: readonly Condition[]): Condition {
  return operator === "or_" ? or(...conditions) : and(...conditions);
}

function byId(column: Column, filter: Of<typeof IdFilter>): Condition {
  if (!filter) return undefined;
  return and(
    filter.any_ ? oneOf(column, filter.any_) : undefined,
    filter.not_any_ ? noneOf(column, filter.not_any_) : undefined,
  );
}

function byName(column: Column, filter: Of<typeof NameFilter>): Condition {
  if (!filter) return undefined;
  return and(
    filter.any_ ? oneOf(column, filter.any_) : undefined,
    filter.like_ ? contains(column, filter.like_) : undefined,
  );
}

function byTags(column: Column, filter: Of<typeof TagsFilter>): Condition {
  if (!filter) return undefined;
  const all = filter.all_ && [...new Set(filter.all_)];
  const any = filter.any_;
  return join(filter.operator, [
    // Counted, so that the wanted ones are read once and not once for each tag of each row.
    all
      ? sql`(SELECT count(DISTINCT tag.value) FROM json_each(${column}) AS tag
          WHERE tag.value IN (SELECT value FROM json_each(${JSON.stringify(all)}))) = ${all.length}`
      : undefined,
    any
      ? sql`EXISTS (SELECT 1 FROM json_each(${column}) AS tag
          WHERE tag.value IN (SELECT value FROM json_each(${JSON.stringify(any)})))`
      : undefined,
    filter.is_null_ == null ? undefined : sql`(json_array_length(${column}) = 0) = ${filter.is_null_ ? 1 : 0}`,
  ]);
}

function byNullableId(column: Column, filter: Of<typeof NullableIdFilter>): Condition {
  if (!filter) return undefined;
  return join(filter.operator, [
    filter.any_ ? oneOf(column, filter.any_) : undefined,
    filter.is_null_ == null ? undefined : filter.is_null_ ? isNull(column) : isNotNull(column),
  ]);
}

/** `bounds` is what is compared where that is not the column itself. */
function byTime(column: Column, filter: Of<typeof TimeFilter>, bounds: Column = column): Condition {
  if (!filter) return undefined;
  return and(
    filter.before_ ? sql`${bounds} <= ${fromWireTime(filter.before_)}` : undefined,
    filter.after_ ? sql`${bounds} >= ${fromWireTime(filter.after_)}` : undefined,
    filter.is_null_ == null ? undefined : filter.is_null_ ? isNull(column) : isNotNull(column),
  );
}

function byState(type: Column, name: Column, filter: Of<typeof StateFilter>): Condition {
  if (!filter) return undefined;
  return join(filter.operator, [
    filter.type?.any_ ? oneOf(type, filter.type.any_) : undefined,
    filter.type?.not_any_ ? noneOf(type, filter.type.not_any_) : undefined,
    filter.name?.any_ ? oneOf(name, filter.name.any_) : undefined,
    filter.name?.not_any_ ? noneOf(name, filter.name.not_any_) : undefined,
  ]);
}

function flowCondition(filter: Of<typeof FlowFilter>): Condition {
  if (!filter) return undefined;
  return join(filter.operator, [
    byId(flows.id, filter.id),
    byName(flows.name, filter.name),
    byTags(flows.tags, filter.tags),
    filter.deployment?.is_null_ == null
      ? undefined
      : sql`(${flows.id} NOT IN (SELECT ${deployments.flowId} FROM ${deployments})) = ${filter.deployment.is_null_ ? 1 : 0}`,
  ]);
}

function deploymentCondition(filter: Of<typeof DeploymentFilter>): Condition {
  if (!filter) return undefined;
  return join(filter.operator, [
    byId(deployments.id, filter.id),
    byName(deployments.name, filter.name),
    byTags(deployments.tags, filter.tags),
    filter.paused?.eq_ == null ? undefined : eq(deployments.paused, filter.paused.eq_),
    filter.flow_or_deployment_name?.like_
      ? or(
          contains(deployments.name, filter.flow_or_deployment_name.like_),
          sql`${deployments.flowId} IN (SELECT ${flows.id} FROM ${flows}
            WHERE ${contains(flows.name, filter.flow_or_deployment_name.like_)})`,
        )
      : undefined,
    filter.work_queue_name?.any_
      ? sql`${deployments.workQueueId} IN (SELECT ${workQueues.id} FROM ${workQueues}
          WHERE ${oneOf(workQueues.name, filter.work_queue_name.any_)})`
      : undefined,
  ]);
}

export function workPoolCondition(filter: Of<typeof WorkPoolFilter>): Condition {
  if (!filter) return undefined;
  return join(filter.operator, [
    byId(workPools.id, filter.id),
    byName(workPools.name, filter.name),
    filter.type?.any_ ? oneOf(workPools.type, filter.type.any_) : undefined,
  ]);
}

/** The condition on `workers` rows. */
export function workerCondition(filter: WorkerFilter): Condition {
  if (!filter) return undefined;
  return join(filter.operator, [
    byTime(workers.lastHeartbeatTime, filter.last_heartbeat_time),
    filter.status?.any_ ? oneOf(workers.status, filter.status.any_) : undefined,
    filter.status?.not_any_ ? noneOf(workers.status, filter.status.not_any_) : undefined,
  ]);
}

/** The condition on `work_queues` rows. */
export function workQueueCondition(filter: WorkQueueFilter): Condition {
  if (!filter) return undefined;
  return join(filter.operator, [
    byId(workQueues.id, filter.id),
    filter.name?.any_ ? oneOf(workQueues.name, filter.name.any_) : undefined,
    filter.name?.startswith_?.length
      ? sql`EXISTS (SELECT 1 FROM json_each(${JSON.stringify(filter.name.startswith_)}) AS start
          WHERE instr(lower(${workQueues.name}), lower(start.value)) = 1)`
      : undefined,
  ]);
}

function byCreator(filter: NonNullable<FlowRunFilter>["created_by"]): Condition {
  if (!filter) return undefined;
  const creator = sql`${flowRuns.doc} ->> '$.created_by'`;
  return join(filter.operator, [
    filter.id_ ? oneOf(sql`${flowRuns.doc} ->> '$.created_by.id'`, filter.id_) : undefined,
    filter.type_ ? oneOf(sql`${flowRuns.doc} ->> '$.created_by.type'`, filter.type_) : undefined,
    filter.is_null_ == null ? undefined : filter.is_null_ ? isNull(creator) : isNotNull(creator),
  ]);
}

function byIdempotencyKey(filter: NonNullable<FlowRunFilter>["idempotency_key"]): Condition {
  if (!filter) return undefined;
  const key = sql`${flowRuns.doc} ->> '$.idempotency_key'`;
  return and(
    filter.any_ ? oneOf(key, filter.any_) : undefined,
    filter.not_any_ ? noneOf(key, filter.not_any_) : undefined,
  );
}

function byQueueName(filter: NonNullable<FlowRunFilter>["work_queue_name"]): Condition {
  if (!filter) return undefined;
  const name = sql`${flowRuns.doc} ->> '$.work_queue_name'`;
  return join(filter.operator, [
    filter.any_ ? oneOf(name, filter.any_) : undefined,
    filter.is_null_ == null ? undefined : filter.is_null_ ? isNull(name) : isNotNull(name),
  ]);
}

function flowRunCondition(filter: FlowRunFilter): Condition {
  if (!filter) return undefined;
  return join(filter.operator, [
    byId(flowRuns.id, filter.id),
    byName(flowRuns.name, filter.name),
    byTags(flowRuns.tags, filter.tags),
    byNullableId(flowRuns.deploymentId, filter.deployment_id),
    byQueueName(filter.work_queue_name),
    byState(flowRuns.stateType, flowRuns.stateName, filter.state),
    byTime(flowRuns.startTime, filter.start_time, flowRuns.startsAt),
    byTime(flowRuns.endTime, filter.end_time),
    byTime(flowRuns.expectedStartTime, filter.expected_start_time),
    byTime(flowRuns.nextScheduledStartTime, filter.next_scheduled_start_time),
    byNullableId(flowRuns.parentTaskRunId, filter.parent_task_run_id),
    filter.parent_flow_run_id?.any_
      ? sql`${flowRuns.parentTaskRunId} IN (SELECT ${taskRuns.id} FROM ${taskRuns}
          WHERE ${oneOf(taskRuns.flowRunId, filter.parent_flow_run_id.any_)})`
      : undefined,
    filter.flow_version?.any_ ? oneOf(sql`${flowRuns.doc} ->> '$.flow_version'`, filter.flow_version.any_) : undefined,
    byIdempotencyKey(filter.idempotency_key),
    byCreator(filter.created_by),
  ]);
}

function taskRunCondition(filter: TaskRunFilter): Condition {
  if (!filter) return undefined;
  const run = filter.flow_run_id;
  return join(filter.operator, [
    byId(taskRuns.id, filter.id),
    byName(taskRuns.name, filter.name),
    byTags(taskRuns.tags, filter.tags),
    byState(taskRuns.stateType, taskRuns.stateName, filter.state),
    byTime(taskRuns.startTime, filter.start_time),
    byTime(taskRuns.endTime, filter.end_time),
    byTime(taskRuns.expectedStartTime, filter.expected_start_time),
    // As upstream: what has no flow run has none of those that are named.
    run?.any_ && !run.is_null_ ? oneOf(taskRuns.flowRunId, run.any_) : undefined,
    run?.is_null_ == null ? undefined : sql`(${taskRuns.flowRunId} = '') = ${run.is_null_ ? 1 : 0}`,
    filter.subflow_runs?.exists_ == null ? undefined : bySubflow(filter.subflow_runs.exists_),
  ]);
}

function bySubflow(exists: boolean): SQL {
  const child = sql`EXISTS (SELECT 1 FROM ${flowRuns} AS child WHERE child.parent_task_run_id = ${taskRuns.id})`;
  return exists ? child : sql`NOT ${child}`;
}

/** The condition on `variables` rows. */
export function variablesWhere(filter: VariableFilter): Condition {
  if (!filter) return undefined;
  return join(filter.operator, [
    byId(variables.id, filter.id),
    byName(variables.name, filter.name),
    byTags(variables.tags, filter.tags),
  ]);
}

/**
 * What rows of another resource must be for a row to have one. A filter that is given without any criterion asks for
 * those that have one at all, as upstream; one that is not given asks nothing.
 */
function related(filter: object | null | undefined, condition: Condition): Condition {
  return filter ? (condition ?? sql`1`) : undefined;
}

/** The condition on `flow_runs` rows. */
export function flowRunsWhere(filters: FlowRunFilters): Condition {
  const flow = flowCondition(filters.flows);
  const deployment = related(filters.deployments, deploymentCondition(filters.deployments));
  const pool = related(filters.work_pools, workPoolCondition(filters.work_pools));
  const ofQueues = filters.work_pool_queues ?? filters.work_queues;
  const queue = related(ofQueues, workQueueCondition(ofQueues));
  const task = related(filters.task_runs, taskRunCondition(filters.task_runs));
  return and(
    flowRunCondition(filters.flow_runs),
    flow && sql`${flowRuns.flowId} IN (SELECT ${flows.id} FROM ${flows} WHERE ${flow})`,
    deployment && sql`${flowRuns.deploymentId} IN (SELECT ${deployments.id} FROM ${deployments} WHERE ${deployment})`,
    pool && sql`${flowRuns.workPoolId} IN (SELECT ${workPools.id} FROM ${workPools} WHERE ${pool})`,
    queue && sql`${flowRuns.doc} ->> '$.work_queue_id' IN (SELECT ${workQueues.id} FROM ${workQueues} WHERE ${queue})`,
    task && sql`${flowRuns.id} IN (SELECT ${taskRuns.flowRunId} FROM ${taskRuns} WHERE ${task})`,
  );
}

/** The condition on `task_runs` rows. */
export function taskRunsWhere(filters: FlowRunFilters): Condition {
  const { task_runs: taskFilter, ...others } = filters;
  const run = flowRunsWhere({ ...others, task_runs: null });
  return and(
    taskRunCondition(taskFilter),
    run && sql`${taskRuns.flowRunId} IN (SELECT ${flowRuns.id} FROM ${flowRuns} WHERE ${run})`,
  );
}

/** The condition on `flows` rows. As upstream, a flow is in a pool by its deployments, not by its runs. */
export function flowsWhere(filters: FlowRunFilters): Condition {
  const { flows: flowFilter, deployments: ofDeployments, work_pools: ofPools, flow_runs, task_runs } = filters;
  const run = flowRunsWhere({ flow_runs, task_runs }) ?? related(flow_runs, undefined);
  const pool = related(ofPools, workPoolCondition(ofPools));
  const deployment = and(
    related(ofDeployments, deploymentCondition(ofDeployments)),
    pool && sql`${deployments.workPoolId} IN (SELECT ${workPools.id} FROM ${workPools} WHERE ${pool})`,
  );
  return and(
    flowCondition(flowFilter),
    deployment && sql`${flows.id} IN (SELECT ${deployments.flowId} FROM ${deployments} WHERE ${deployment})`,
    run && sql`${flows.id} IN (SELECT ${flowRuns.flowId} FROM ${flowRuns} WHERE ${run})`,
  );
}

/** The condition on `deployments` rows. */
export function deploymentsWhere(filters: FlowRunFilters): Condition {
  const flow = flowCondition(filters.flows);
  const pool = related(filters.work_pools, workPoolCondition(filters.work_pools));
  const queue = related(filters.work_pool_queues, workQueueCondition(filters.work_pool_queues));
  const ofRun = flowRunsWhere({
    flows: null,
    deployments: null,
    work_pools: null,
    work_pool_queues: null,
    flow_runs: filters.flow_runs,
    task_runs: filters.task_runs,
  });
  const run = ofRun ?? related(filters.flow_runs, undefined);
  return and(
    deploymentCondition(filters.deployments),
    flow && sql`${deployments.flowId} IN (SELECT ${flows.id} FROM ${flows} WHERE ${flow})`,
    pool && sql`${deployments.workPoolId} IN (SELECT ${workPools.id} FROM ${workPools} WHERE ${pool})`,
    queue && sql`${deployments.workQueueId} IN (SELECT ${workQueues.id} FROM ${workQueues} WHERE ${queue})`,
    run && inArray(deployments.id, sql`(SELECT ${flowRuns.deploymentId} FROM ${flowRuns} WHERE ${run})`),
  );
}
