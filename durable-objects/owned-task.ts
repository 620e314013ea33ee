/**
 * Task runs whose owner decides: the rows that a creation and a proposed state make. Used by every object that keeps task
 * runs, inside its transaction; nothing here waits or writes.
 */
import { decideOwnedTask } from "#machine/decide-owned-task";
import { BACKGROUND_TASK_POLICY } from "#machine/policies/background-task";
import { FORCED_TASK_POLICY } from "#machine/policies/forced-task";
import { OWNED_TASK_POLICY } from "#machine/policies/owned-task";
import type { EnclosingFlowRun, OwnedTaskRecord, TagSlots } from "#machine/rule";
import { tagEffects } from "#machine/task-effects";
import type { FlowRunId, StateId, TaskRunId } from "#protocol/ids";
import { NO_DETAILS, type OrchestrationResult, type State, type StateCreate } from "#protocol/states";
import { type TaskRun, type TaskRunCreate, TaskRunPolicy } from "#protocol/task-runs";
import { type EpochMs, fromWireTime, toWireTime, type WireTime } from "#protocol/time";
import type { TaskRow } from "./storage/run-rows.ts";

/** A state that somebody proposes for a task run, with the remembered result that the Worker found for its cache key. */
export interface TaskProposal {
  readonly state: StateCreate;
  readonly force: boolean;
  readonly cached: State | null;
  /** Slots of the limits of its tags, which the Worker asked for. Absent where none were asked for. */
  readonly tagSlots?: TagSlots;
}

/** What the owner adds to a proposal. */
export interface TaskContext {
  readonly flowRun: EnclosingFlowRun | null;
  readonly stateId: StateId;
  readonly version: number;
  readonly now: EpochMs;
}

/** What became of a proposal; `row` is null when nothing is to be written. */
export interface TaskOutcome {
  readonly result: OrchestrationResult;
  readonly row: TaskRow | null;
}

const PENDING: StateCreate = { type: "PENDING", name: null, message: null, data: null, state_details: NO_DETAILS };

/** The row of a new task run, in its first state (PENDING unless another one is asked for). */
export function newTask(
  request: TaskRunCreate,
  id: TaskRunId,
  flowRunId: FlowRunId | null,
  context: TaskContext,
): TaskRow {
  const at = toWireTime(context.now);
  const task: TaskRun = {
    id,
    created: at,
    updated: at,
    name: request.name ?? `${request.task_key}-${request.dynamic_key}`,
    flow_run_id: flowRunId,
    task_key: request.task_key,
    dynamic_key: request.dynamic_key,
    cache_key: request.cache_key ?? null,
    cache_expiration: request.cache_expiration ?? null,
    task_version: request.task_version ?? null,
    empirical_policy: request.empirical_policy ?? TaskRunPolicy.parse({}),
    tags: request.tags ?? [],
    labels: request.labels ?? {},
    state_id: null,
    task_inputs: request.task_inputs ?? {},
    state_type: null,
    state_name: null,
    run_count: 0,
    flow_run_run_count: 0,
    expected_start_time: null,
    next_scheduled_start_time: null,
    start_time: null,
    end_time: null,
    total_run_time: 0,
    estimated_run_time: 0,
    estimated_start_time_delta: 0,
    state: null,
  };
  const row: TaskRow = { task, states: [], version: context.version };
  return proposeTask(row, { state: request.state ?? PENDING, force: true, cached: null }, context).row ?? row;
}

/** Decides about a proposed state. A deferred proposal is one about a background task, whoever insists, as upstream. */
export function proposeTask(row: TaskRow, proposal: TaskProposal, context: TaskContext): TaskOutcome {
  const { state, force, cached, tagSlots = { kind: "granted" } } = proposal;
  const { now, flowRun, stateId, version } = context;
  const policy = state.state_details.deferred ? BACKGROUND_TASK_POLICY : force ? FORCED_TASK_POLICY : OWNED_TASK_POLICY;
  const facts = { now, run: recordOf(row.task), random: Math.random(), flowRun, cached, tagSlots };
  const { result, written } = decideOwnedTask(policy, { from: row.task.state, to: state }, facts, { stateId });
  if (written === null) return { result, row: null };
  const releases = tagEffects(row.task.state, written.state, row.task.tags);
  const effects = [...(row.effects ?? []), ...written.effects, ...releases];
  return {
    result,
    row: {
      task: { ...withRecord(row.task, written.run, written.state), updated: toWireTime(now) },
      states: [...row.states, written.state],
      version,
      ...(effects.length > 0 ? { effects } : {}),
    },
  };
}

function recordOf(task: TaskRun): OwnedTaskRecord {
  return {
    taskRunId: task.id,
    flowRunId: task.flow_run_id,
    policy: task.empirical_policy,
    state: task.state,
    runCount: task.run_count,
    flowRunRunCount: task.flow_run_run_count,
    totalRunTimeMs: task.total_run_time * 1000,
    startTime: epoch(task.start_time),
    endTime: epoch(task.end_time),
    expectedStartTime: epoch(task.expected_start_time),
    nextScheduledStartTime: epoch(task.next_scheduled_start_time),
  };
}

function withRecord(task: TaskRun, record: OwnedTaskRecord, state: State): TaskRun {
  return {
    ...task,
    state,
    state_id: state.id,
    state_type: state.type,
    state_name: state.name,
    run_count: record.runCount,
    flow_run_run_count: record.flowRunRunCount,
    total_run_time: record.totalRunTimeMs / 1000,
    start_time: wire(record.startTime),
    end_time: wire(record.endTime),
    expected_start_time: wire(record.expectedStartTime),
    next_scheduled_start_time: wire(record.nextScheduledStartTime),
  };
}

function epoch(time: WireTime | null): EpochMs | null {
  return time === null ? null : fromWireTime(time);
}

function wire(at: EpochMs | null): WireTime | null {
  return at === null ? null : toWireTime(at);
}
