/**
 * What the object that owns flow runs answers to: the calls that the Worker and the pool make. `FlowRunObject`
 * implements it; each call names the run, and goes to the object that {@link ownerOf} finds.
 */

import type { FlowRunInput, FlowRunInputCreate, FlowRunInputQuery } from "#protocol/flow-run-inputs";
import type { CreatedBy, FlowRun, FlowRunCreate, FlowRunUpdate, JsonObject, Labels } from "#protocol/flow-runs";
import type { FlowRunId, StateId, TaskRunId, WorkPoolId, WorkQueueId } from "#protocol/ids";
import type { Log, LogCreate, LogFilter, LogSort } from "#protocol/logs";
import type { RunClientFrame, RunServerFrame, TaskReport } from "#protocol/run-channel";
import type { OrchestrationResult, State, StateCreate } from "#protocol/states";
import type { TaskRun, TaskRunCreate, TaskRunUpdate } from "#protocol/task-runs";
import type { EpochMs } from "#protocol/time";
import type { RunTicket } from "#protocol/worker-channel";
import type { TaskProposal } from "./owned-task.ts";
import type { RunStanding } from "./run-standing.ts";

/** Where and how a pooled run is to be executed: taken from its deployment when the run is made. */
export interface RunPlacement {
  /** Name of the pool, which is also the name of its object. */
  readonly poolName: string;
  readonly poolId: WorkPoolId;
  readonly queue: { readonly id: WorkQueueId | null; readonly name: string; readonly priority: number };
  readonly entrypoint: string | null;
  readonly path: string | null;
  readonly pullSteps: JsonObject[] | null;
  /** Of the deployment, overlaid with the run's own. */
  readonly jobVariables: JsonObject;
}

/** A flow run to be made. The id was minted by the caller and names the owner. */
export interface NewFlowRun {
  readonly id: FlowRunId;
  readonly name: string;
  readonly request: Omit<FlowRunCreate, "state" | "name">;
  /** The first state; null makes a run without one. */
  readonly state: StateCreate | null;
  readonly deploymentVersion: string | null;
  readonly createdBy: CreatedBy | null;
  readonly autoScheduled: boolean;
  readonly placement: RunPlacement | null;
}

/** Which of the runs that are named are to be removed: all, those that nobody has begun, or those that ended long ago. */
export type RunsToRemove =
  | { readonly kind: "any" }
  | { readonly kind: "scheduled" }
  /** Those that wait for their first start, and not for a slot of their deployment: they come from a schedule's past. */
  | { readonly kind: "waiting" }
  | { readonly kind: "ended"; readonly before: EpochMs };

export interface LogQuery {
  readonly filter: LogFilter;
  readonly sort: LogSort;
  readonly limit: number;
  readonly offset: number;
}

export interface FlowRunOwner {
  /** Makes the run, or answers the one that has this id already. Answers after the run is listed (copied to D1). */
  create(run: NewFlowRun): Promise<{ run: FlowRun; created: boolean }>;
  /** Null when there is no such run. */
  read(id: FlowRunId): Promise<FlowRun | null>;
  /** `written` tells whether a state was stored (201) or not (200). Null when there is no such run. */
  setState(
    id: FlowRunId,
    proposal: { readonly state: StateCreate; readonly force: boolean },
  ): Promise<{ result: OrchestrationResult; written: boolean } | null>;
  /** Lets a paused run go on, with the input that it waits for. Null when there is no such run. */
  resume(id: FlowRunId, input: JsonObject | null): Promise<OrchestrationResult | null>;
  /**
   * Schedules a run that has ended again. With a task run, that one and its dependents are marked to run again, even if
   * they had completed.
   */
  retry(id: FlowRunId, from: TaskRunId | null): Promise<"scheduled" | "not ended" | "unknown task">;
  /** A state of any run of this owner. */
  state(id: StateId): Promise<State | null>;
  /** False when there is no such run. */
  update(id: FlowRunId, patch: FlowRunUpdate): Promise<boolean>;
  /** Adds labels; false when there is no such run. */
  addLabels(id: FlowRunId, labels: Labels): Promise<boolean>;
  putInput(id: FlowRunId, input: FlowRunInputCreate): Promise<"stored" | "unknown run" | "key taken">;
  input(id: FlowRunId, key: string): Promise<FlowRunInput | null>;
  /** Oldest first. */
  inputs(id: FlowRunId, query: FlowRunInputQuery): Promise<FlowRunInput[]>;
  /** False when there is no such input. */
  removeInput(id: FlowRunId, key: string): Promise<boolean>;
  /**
   * Deletes those of the given runs that are still what was asked for, whatever their copies in D1 say, with all that
   * belongs to them here, in their pools and in the queues of their tasks. Answers which of them are not here any more,
   * for the caller to delete what D1 has of them.
   */
  remove(ids: readonly FlowRunId[], which: RunsToRemove): Promise<FlowRunId[]>;
  /** Takes dormant runs over whose time has come: from here on they are watched. */
  wake(ids: readonly FlowRunId[]): Promise<void>;
  /** Oldest first; null when there is no such run. */
  states(id: FlowRunId): Promise<State[] | null>;
  /** All task runs of the run, oldest first; fresher than D1's copies. */
  taskRuns(id: FlowRunId): Promise<TaskRun[]>;
  taskRun(id: FlowRunId, taskRunId: TaskRunId): Promise<{ task: TaskRun; states: State[] } | null>;
  /**
   * Makes a task run, or answers the one with its natural key; "id taken" answers another one that has the id that was
   * asked for. Null when there is no such flow run.
   */
  createTask(
    id: FlowRunId,
    request: TaskRunCreate,
    taskRunId: TaskRunId,
  ): Promise<{ task: TaskRun; outcome: "created" | "known" | "id taken" } | null>;
  /** Proposes a state of a task run. Null when there is no such task run. */
  setTaskState(
    id: FlowRunId,
    taskRunId: TaskRunId,
    proposal: TaskProposal,
  ): Promise<{ result: OrchestrationResult; written: boolean } | null>;
  /** False when there is no such task run. */
  updateTask(id: FlowRunId, taskRunId: TaskRunId, patch: TaskRunUpdate): Promise<boolean>;
  /** Deletes a task run, here and in D1. False when there is no such task run. */
  removeTask(id: FlowRunId, taskRunId: TaskRunId): Promise<boolean>;
  /** A state that one of the run's task runs went through. */
  taskState(id: FlowRunId, stateId: StateId): Promise<State | null>;
  /** Records task runs that are told of by events. False when there is no such run. */
  recordTasks(id: FlowRunId, reports: readonly TaskReport[]): Promise<boolean>;
  /** Stores lines that arrived over REST. False when there is no such run. */
  appendLogs(id: FlowRunId, logs: readonly LogCreate[]): Promise<boolean>;
  /** A process without a run channel showed itself alive at this moment of its own clock. False when there is no such run. */
  heartbeat(id: FlowRunId, occurredAt: EpochMs): Promise<boolean>;
  /** Somebody listens: new lines of the run (with null, of every run here) go to the hub until nobody listens. */
  streamLogs(id: FlowRunId | null): Promise<void>;
  /** Lines of one run, ordered by time and, within one instant, by arrival. */
  logs(id: FlowRunId, query: LogQuery): Promise<Log[]>;
  /** The run channel without a WebSocket. */
  frames(id: FlowRunId, frames: readonly RunClientFrame[]): Promise<RunServerFrame[]>;
  /** Offers a waiting run to its pool again. Does nothing for a run that does not wait. */
  offer(id: FlowRunId): Promise<void>;
  /**
   * Claims a waiting run for a worker: proposes PENDING and, when accepted, gives out a lease with a new generation.
   * Null when the run is not (or no longer) there to be claimed; the pool then forgets it.
   */
  claim(id: FlowRunId, worker: { readonly name: string }): Promise<RunTicket | null>;
  /**
   * A slot of its deployment's limit is free for a run that waits for one; called by the limit. "comes": it is claimed
   * now, or as soon as a worker that polls comes by. "not now": it does not wait, or no worker has room for it; it asks
   * again when it is claimed.
   */
  slotFree(id: FlowRunId): Promise<"comes" | "not now">;
  /** Whether the run has a slot of its deployment's limits, or waits for one; asked by a limit that heard nothing for long. */
  usesSlot(id: FlowRunId): Promise<boolean>;
  /** Cancels a run for which a newer one came; with "waiting" only if nobody has begun with it. */
  supersede(id: FlowRunId, which: "waiting" | "any"): Promise<void>;
  /**
   * A worker could not start the run that it claimed: the run waits again, or ends Crashed after a bounded number of
   * times. False when there is nothing to give back: it was started, has ended, or was claimed anew. Null when there is
   * no such run.
   */
  giveBack(id: FlowRunId, generation: number, reason: string): Promise<boolean | null>;
  /** Whether the run is in somebody's hand under the claim of this number; asked by its pool about a claim of a poller. */
  holdsClaim(id: FlowRunId, generation: number): Promise<boolean>;
  /** Whether the token of this claim is still good: the claim is the newest, and the run has not ended long ago. */
  honoursToken(id: FlowRunId, generation: number): Promise<boolean>;
  /** What the run waits for, as far as its owner knows. Null when there is no such run. */
  standing(id: FlowRunId): Promise<RunStanding | null>;
  /** Marks a waiting run as late; called by the pool in which it waits. Does nothing for a run that does not wait. */
  markLate(id: FlowRunId): Promise<void>;
  /** Asks a run to cancel itself whose parent was asked to, or passes it on; called by the owner of the parent. */
  askWithParent(id: FlowRunId): Promise<void>;
  /** Cancels a run whose parent was cancelled; called by the owner of the parent. */
  cancelWithParent(id: FlowRunId): Promise<void>;
  /** Shows a child run's state on the task run that stands for it; called by the owner of the child. */
  mirrorState(id: FlowRunId, taskRunId: TaskRunId, childId: FlowRunId, state: State): Promise<void>;
}
