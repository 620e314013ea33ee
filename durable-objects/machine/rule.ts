/**
 * The words of the state machine: what a rule is given, what it may answer, and what follows from a decision.
 *
 * Everything here is data in, data out: no I/O, no clock, no randomness, nothing async. Facts are gathered before,
 * effects are performed after, both by the shell around it (an object, or the SDK without a server).
 */

import type { FlowRunPolicy } from "#protocol/flow-runs";
import type { DeploymentId, FlowRunId, StateId, TaskRunId } from "#protocol/ids";
import type { OrchestrationResult, State, StateCreate, StateType } from "#protocol/states";
import type { TaskRunPolicy } from "#protocol/task-runs";
import type { EpochMs } from "#protocol/time";

/** Who executes a run at this moment, and until when that is believed without a sign of life. */
export interface Lease {
  /** A worker's name until RUNNING, `process` after it. */
  readonly holder: string;
  /** Counts the claims of the run. A report under an older generation is refused. */
  readonly generation: number;
  readonly expiresAt: EpochMs;
}

/** What flow runs and task runs have in common; bookkeeping writes all of it. Spans are in milliseconds. */
export interface RunRecord {
  readonly state: State | null;
  /** How often the run has entered RUNNING, resumptions not counted. */
  readonly runCount: number;
  /** Time spent in RUNNING states that were left. */
  readonly totalRunTimeMs: number;
  readonly startTime: EpochMs | null;
  readonly endTime: EpochMs | null;
  readonly expectedStartTime: EpochMs | null;
  readonly nextScheduledStartTime: EpochMs | null;
}

/** The part of a flow run that rules read and bookkeeping writes. */
export interface FlowRunRecord extends RunRecord {
  readonly flowRunId: FlowRunId;
  readonly policy: FlowRunPolicy;
  readonly deploymentId: DeploymentId | null;
  readonly parentTaskRunId: TaskRunId | null;
  readonly infrastructurePid: string | null;
  /** Whether the run is offered to a work pool (it has a deployment with a pool). */
  readonly pooled: boolean;
}

/** The part of a task run that rules read and bookkeeping writes. */
export interface TaskRunRecord extends RunRecord {
  readonly taskRunId: TaskRunId;
  /** Null for a task that runs outside a flow. */
  readonly flowRunId: FlowRunId | null;
  readonly policy: TaskRunPolicy;
}

/** A task run as its owner in the control plane keeps it. */
export interface OwnedTaskRecord extends TaskRunRecord {
  /** The attempt of the flow run in which the task last entered RUNNING. */
  readonly flowRunRunCount: number;
}

/** What the shell's question for slots was answered (seam `reserve`). */
export type Reservation =
  /** The slots are held. The lease is the run's on its deployment's limit; null where there is none. */
  | { readonly kind: "granted"; readonly leaseId: string | null }
  /** Nothing is held. A run that waits asks again at `retryAt` at the latest. */
  | { readonly kind: "full"; readonly limit: string; readonly collision: "wait"; readonly retryAt: EpochMs }
  | { readonly kind: "full"; readonly limit: string; readonly collision: "cancel" }
  /** The limit lets nobody in. */
  | { readonly kind: "closed"; readonly limit: string }
  /** The slot that the run had was given to another one. */
  | { readonly kind: "lost"; readonly limit: string }
  /** The run's own work pool or queue is full: it waits there already, so there is nowhere to send it. */
  | { readonly kind: "no-place"; readonly limit: string; readonly heldBy: readonly string[] };

/** What every rule may know besides the transition itself. */
export interface RunFacts<Run extends RunRecord = RunRecord> {
  readonly now: EpochMs;
  readonly run: Run;
}

/** All that a rule for flow runs may know. */
export interface Facts extends RunFacts<FlowRunRecord> {
  readonly reservation: Reservation;
  /** A claim was taken back from a holder that shows no number of its claim: its process may still start. */
  readonly mayHaveTwoProcesses: boolean;
}

/** All that a rule for task runs may know. */
export interface TaskFacts extends RunFacts<TaskRunRecord> {
  /** From 0 to 1 (1 excluded), drawn anew for each decision: the jitter of retries comes from it. */
  readonly random: number;
}

/** What a task's owner knows of the flow run that the task belongs to. */
export interface EnclosingFlowRun {
  readonly id: FlowRunId;
  readonly state: State | null;
  readonly runCount: number;
}

/** What the question for slots of the task's tags was answered. */
export type TagSlots =
  | { readonly kind: "granted" }
  | { readonly kind: "full"; readonly tags: readonly string[]; readonly retryAfterSeconds: number }
  /** The limit of a tag lets nobody in. */
  | { readonly kind: "closed"; readonly tag: string };

/** All that a rule may know where the owner of a task run decides, and not the process that executes it. */
export interface OwnedTaskFacts extends TaskFacts {
  readonly run: OwnedTaskRecord;
  /** Null for a task that runs outside a flow. */
  readonly flowRun: EnclosingFlowRun | null;
  /** The COMPLETED state that is remembered under the proposal's cache key and has not expired. */
  readonly cached: State | null;
  readonly tagSlots: TagSlots;
}

export interface Transition {
  readonly from: State | null;
  readonly to: StateCreate;
}

/** Changes to a flow run's record that a rule asks for. Written only together with a state. */
export type RecordPatch = Partial<Pick<FlowRunRecord, "policy">>;

/** Changes to a task run's record that a rule asks for. Written only together with a state. */
export type TaskRecordPatch = Partial<Pick<TaskRunRecord, "runCount">>;

/** As {@link TaskRecordPatch}, where the owner decides. */
export type OwnedTaskPatch = Partial<Pick<OwnedTaskRecord, "runCount" | "flowRunRunCount">>;

/** What a rule answers. */
export type Opinion<Patch = RecordPatch> =
  /** No objection. May still patch the record. */
  | { readonly kind: "pass"; readonly patch?: Patch }
  /** Go on with this corrected proposal; the caller is not told. */
  | { readonly kind: "amend"; readonly to: StateCreate; readonly patch?: Patch }
  /** Store this state instead and tell the caller (REJECT); later rules see it as the proposal. */
  | { readonly kind: "replace"; readonly to: StateCreate; readonly because: string; readonly patch?: Patch }
  /** Leave the run as it is and answer its current state (REJECT); a run without a state is answered ABORT. */
  | { readonly kind: "keep"; readonly because: string }
  /** Nothing is written; the caller asks again later (WAIT). */
  | { readonly kind: "wait"; readonly delaySeconds: number; readonly because: string }
  /** Nothing is written; the caller stops (ABORT). */
  | { readonly kind: "abort"; readonly because: string };

/** No objection. */
export const PASS = { kind: "pass" } as const;

/** `null` stands for a run that has no state yet; "any" for every state and none. */
export type StateSet = "any" | readonly (StateType | null)[];

/** One rule: a sentence for a name, the transitions it speaks about, and its opinion. */
export interface Rule<Known extends RunFacts = Facts, Patch = RecordPatch> {
  readonly name: string;
  readonly from: StateSet;
  /** Holds for the proposal as it was intended and as earlier rules left it: a rule speaks only if both match. */
  readonly to: StateSet;
  decide(transition: Transition, facts: Known): Opinion<Patch>;
}

/** A rule for task runs. */
export type TaskRule = Rule<TaskFacts, TaskRecordPatch>;

/** A rule for task runs whose owner decides. */
export type OwnedTaskRule = Rule<OwnedTaskFacts, OwnedTaskPatch>;

/** A rule that fits flow runs and task runs. It patches nothing. */
export type RunRule = Rule<RunFacts, never>;

/** Rules in order of priority. The list is the behaviour. */
export interface Policy<Known extends RunFacts = Facts, Patch = RecordPatch> {
  readonly name: string;
  readonly rules: readonly Rule<Known, Patch>[];
}

/** The rules for task runs. */
export type TaskPolicy = Policy<TaskFacts, TaskRecordPatch>;

/** The rules for task runs whose owner decides. */
export type OwnedTaskPolicy = Policy<OwnedTaskFacts, OwnedTaskPatch>;

/** What follows from a written state, performed by the shell at least once. */
export type Effect =
  /** Offer the run to its pool: it is to start at `dueAt`. */
  | { readonly kind: "offer"; readonly dueAt: EpochMs }
  /** The run no longer waits in its pool. */
  | { readonly kind: "withdraw" }
  /** The run no longer occupies slots: pool, queue, worker and, by its lease, its deployment's limit. */
  | { readonly kind: "release"; readonly leaseId: string | null }
  /** The run no longer waits for a slot of its deployment's limit. */
  | { readonly kind: "leave-line" }
  /** Tell the run's process to stop. */
  | { readonly kind: "tell-process"; readonly action: "cancel" | "suspend" }
  /** Ask child runs in other processes that have not ended to cancel themselves. */
  | { readonly kind: "ask-children" }
  /** Cancel the task runs and child runs that have not ended. */
  | { readonly kind: "cancel-children" }
  /** Mirror the state onto the task run that stands for this run in its parent. */
  | { readonly kind: "mirror-to-parent"; readonly taskRunId: TaskRunId }
  /** Tell whoever listens to events of the state, under the state's id. */
  | { readonly kind: "event"; readonly from: State | null; readonly to: State; readonly runCount: number };

/** What follows from a written state of a task run, performed by its owner at least once and in this order. */
export type TaskEffect =
  /** The task waits for a task worker: it is to be delivered at `dueAt`, before others when it is a retry. */
  | { readonly kind: "enqueue"; readonly dueAt: EpochMs; readonly isRetry: boolean }
  /** The task no longer waits for a task worker. */
  | { readonly kind: "dequeue" }
  /** The task no longer holds slots of its tags' limits. */
  | { readonly kind: "release-tags" }
  /** The result may be used by other task runs with this key, until `expiresAt` if there is an end. */
  | { readonly kind: "remember"; readonly cacheKey: string; readonly expiresAt: EpochMs | null };

/** What the machine decided. `written` is null when the run stays as it is. */
export interface Decision {
  readonly result: OrchestrationResult;
  readonly written: { readonly state: State; readonly run: FlowRunRecord; readonly effects: readonly Effect[] } | null;
}

/** What the shell mints for a state that is about to be written. */
export interface Minted {
  readonly stateId: StateId;
}

/** What the machine decided about a task run. `written` is null when it stays as it is. */
export interface TaskDecision {
  readonly result: OrchestrationResult;
  readonly written: { readonly state: State; readonly run: TaskRunRecord } | null;
}

/** What the machine decided about a task run for its owner. `written` is null when it stays as it is. */
export interface OwnedTaskDecision {
  readonly result: OrchestrationResult;
  readonly written: {
    readonly state: State;
    readonly run: OwnedTaskRecord;
    readonly effects: readonly TaskEffect[];
  } | null;
}
