/**
 * The rows of an object that owns flow runs, and their schema.
 *
 * Written rows are what such an object is paid by, so: text keys have no second index (`WITHOUT ROWID`), what changes
 * often is apart from what is large, log lines are stored in chunks, and there is no outbox table. `journal.seq` is
 * the clock of the object: what a run row says was changed at `seq` is copied to D1 once the watermark has passed it.
 */
import type { FlowRunRecord, Lease, TaskEffect } from "#machine/rule";
import type { CreatedBy, JsonObject, Labels } from "#protocol/flow-runs";
import type { DeploymentId, FlowId, FlowRunId, TaskRunId } from "#protocol/ids";
import type { LogCreate } from "#protocol/logs";
import type { State } from "#protocol/states";
import type { TaskRun } from "#protocol/task-runs";
import type { EpochMs } from "#protocol/time";
import type { RunPlacement } from "../flow-run-owner.ts";
import type { StateDeadlineKind } from "../state-deadlines.ts";

/** What was said when the run was made, and what a PATCH may change. Large; rarely rewritten. */
export interface RunSpec {
  readonly name: string;
  readonly flowId: FlowId;
  readonly deploymentId: DeploymentId | null;
  readonly deploymentVersion: string | null;
  readonly flowVersion: string | null;
  readonly parameters: JsonObject;
  readonly context: JsonObject;
  readonly tags: readonly string[];
  readonly labels: Labels;
  readonly idempotencyKey: string | null;
  readonly parentTaskRunId: TaskRunId | null;
  readonly infrastructureDocumentId: string | null;
  readonly jobVariables: JsonObject | null;
  readonly createdBy: CreatedBy | null;
  readonly autoScheduled: boolean;
  readonly placement: RunPlacement | null;
  readonly createdAt: EpochMs;
}

/** What changes with every state. Small; rewritten often. */
export interface RunRow {
  readonly record: FlowRunRecord;
  /** Counts every change of the run; a copy with an older version never overwrites a newer one. */
  readonly version: number;
  readonly updatedAt: EpochMs;
  readonly lease: Lease | null;
  /** Claims so far; the lease's generation is one of these numbers. */
  readonly claims: number;
  /** Why claims came back unconfirmed, oldest first. */
  readonly returned: readonly string[];
  /** Numbers of this run's entries in the journal, oldest first. */
  readonly states: readonly number[];
  /** For when it was scheduled last, waits for a slot aside; absent where that is when it was to start first. */
  readonly dueSince?: EpochMs;
}

/** A task run with the states it went through, oldest first. */
export interface TaskRow {
  readonly task: TaskRun;
  readonly states: readonly State[];
  readonly version: number;
  /** What follows from its states and is not performed yet, oldest first. Absent when nothing is left. */
  readonly effects?: readonly TaskEffect[];
}

/**
 * What is watched by the alarm: `claim` waits for RUNNING, `polled` for that of a claim that was made over REST, `alive`
 * for heartbeats of a process on the run channel,
 * `beating` for heartbeat events of one without it, the others for the next state.
 */
export type DeadlineKind = "claim" | "polled" | "alive" | "beating" | StateDeadlineKind;

export interface DeadlineRow {
  readonly runId: FlowRunId;
  readonly kind: DeadlineKind;
  /** When it passes, unless a sign of life moves it. */
  readonly dueAt: EpochMs;
  /** It passed while nobody could listen and was moved once. */
  readonly postponed: boolean;
}

/** Lines that arrived together: in one batch of a process's session, or (session null) over REST. */
export interface LogChunk {
  readonly seq: number;
  readonly arrivedAt: EpochMs;
  readonly session: string | null;
  readonly batch: number;
  readonly lines: readonly LogCreate[];
}

/** Append-only: a step that has landed is never edited. */
export const RUN_SCHEMA: readonly string[] = [
  `CREATE TABLE specs (run_id TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE runs (run_id TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE journal (seq INTEGER PRIMARY KEY, run_id TEXT NOT NULL, state TEXT);
   CREATE TABLE tasks (run_id TEXT, task_key TEXT, dynamic_key TEXT, doc TEXT NOT NULL,
     PRIMARY KEY (run_id, task_key, dynamic_key)) WITHOUT ROWID;
   CREATE TABLE logs (run_id TEXT, seq INTEGER, arrived_at REAL NOT NULL, session TEXT, batch INTEGER NOT NULL,
     bytes INTEGER NOT NULL, lines TEXT NOT NULL, PRIMARY KEY (run_id, seq)) WITHOUT ROWID;
   CREATE TABLE deadlines (run_id TEXT PRIMARY KEY, kind TEXT NOT NULL, due_at REAL NOT NULL,
     postponed INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;`,
  `CREATE TABLE inputs (run_id TEXT, key TEXT, doc TEXT NOT NULL, PRIMARY KEY (run_id, key)) WITHOUT ROWID;`,
  `CREATE TABLE streamed_runs (run_id TEXT PRIMARY KEY) WITHOUT ROWID;`,
];
