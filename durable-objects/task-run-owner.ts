/**
 * What the object that owns task runs outside a flow answers to, and which object that is. The id of such a run is often
 * made by a client, so it names its owner by what it is made of: the week, where the id carries a time, and its last
 * digit (docs/decisions/0008-task-runs-outside-a-flow.md).
 */
import { makeUuid, type StateId, type TaskRunId, timeOfUuid, windowOf } from "#protocol/ids";
import type { Log, LogCreate } from "#protocol/logs";
import type { TaskReport } from "#protocol/run-channel";
import type { OrchestrationResult, State } from "#protocol/states";
import type { TaskRun, TaskRunCreate, TaskRunUpdate } from "#protocol/task-runs";
import type { EpochMs } from "#protocol/time";
import type { LogQuery } from "./flow-run-owner.ts";
import type { TaskProposal } from "./owned-task.ts";

export interface TaskRunOwner {
  /** Makes the task run, or answers the one with this id. Answers after it is listed (copied to D1). */
  create(id: TaskRunId, request: TaskRunCreate): Promise<{ task: TaskRun; created: boolean }>;
  /** Null when there is no such task run. */
  read(id: TaskRunId): Promise<{ task: TaskRun; states: State[] } | null>;
  /** `written` tells whether a state was stored. Null when there is no such task run. */
  setState(id: TaskRunId, proposal: TaskProposal): Promise<{ result: OrchestrationResult; written: boolean } | null>;
  /** False when there is no such task run. */
  update(id: TaskRunId, patch: TaskRunUpdate): Promise<boolean>;
  /** Deletes the task run, here and in D1, and answers it as it was. Null when there is no such task run. */
  remove(id: TaskRunId): Promise<TaskRun | null>;
  /**
   * Deletes, of the given task runs, those that ended before an instant, with their logs. Answers which of them are not
   * here any more, for the caller to delete what D1 has of them.
   */
  removeEnded(ids: readonly TaskRunId[], endedBefore: EpochMs): Promise<TaskRunId[]>;
  /** Stores lines under a task run of this partition, or a flow run that nobody knows; known or not. */
  appendLogs(subject: string, lines: readonly LogCreate[]): Promise<void>;
  /** Lines that were stored so, ordered by time and, within one instant, by arrival. */
  logs(subject: string, query: LogQuery): Promise<Log[]>;
  /** Records task runs that are told of by events, known or not. */
  record(reports: readonly TaskReport[]): Promise<void>;
}

/** The name of the object that owns a task run outside a flow. */
export function taskPartitionOf(id: TaskRunId): string {
  const at = timeOfUuid(id);
  return `${at === null ? "undated" : windowOf(at)}-${id.slice(-1)}`;
}

/** The owner by the partition's name; its stub by what it answers, since the platform's type cannot express free JSON. */
export function taskPartition(env: Env, name: string): TaskRunOwner {
  return env.TASK_RUNS.getByName(name) as unknown as TaskRunOwner;
}

/** The object that owns a task run outside a flow. */
export function ownerOfTask(env: Env, id: TaskRunId): TaskRunOwner {
  return taskPartition(env, taskPartitionOf(id));
}

/** An id for a state whose owner is not found by it. */
export function newTaskStateId(at: EpochMs): StateId {
  const random = crypto.getRandomValues(new Uint8Array(11));
  const shard = (((random[7] ?? 0) << 8) | (random[8] ?? 0)) & 0xfff;
  const windowsBack = (((random[9] ?? 0) << 8) | (random[10] ?? 0)) & 0x3ff;
  return makeUuid({ at, shard, windowsBack, random }) as StateId;
}
