/** The rows of a work pool's object, and their schema. */
import type { FlowRunId } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";

/** A run that waits in the pool, due or not. */
export interface ReadyRun {
  readonly id: FlowRunId;
  readonly queueName: string;
  /** 1 is the most urgent. */
  readonly queuePriority: number;
  readonly dueAt: EpochMs;
}

export interface WaitingQueue {
  readonly name: string;
  readonly priority: number;
}

/**
 * A claim that was pushed, or made by a poller (which has no worker's name). It is over for the pool and for the worker
 * at different times; the row ends with both.
 */
export interface HeldRun {
  readonly id: FlowRunId;
  readonly generation: number;
  readonly workerName: string;
  readonly claimedAt: EpochMs;
  readonly queueName: string;
  /** A poller asked for the slot, and whether the run's owner gave it the run is not known yet. */
  readonly isTentative: boolean;
  /** The run's owner has not released it. */
  readonly occupiesPool: boolean;
  /** The worker has not said that the process is gone. */
  readonly occupiesWorker: boolean;
}

/** A worker that is or was connected. */
export interface WorkerRow {
  readonly name: string;
  /** UUID; stays the same when a worker of this name connects again. */
  readonly id: string;
  readonly type: string;
  readonly limit: number;
  /** Empty for all queues. */
  readonly queueNames: readonly string[];
  /** It is given runs so much before they are due. */
  readonly prefetchMs: number;
  readonly isOnline: boolean;
  readonly connectedAt: EpochMs;
  /** As of the last connect or disconnect: heartbeats write nothing. */
  readonly lastSeenAt: EpochMs;
}

/** A run on its way to the HTTP target of the pool, under the newest claim. */
export interface PushRow {
  readonly id: FlowRunId;
  readonly generation: number;
  /** JSON of the ticket, without a token. */
  readonly ticket: string;
  readonly state: "waiting" | "accepted" | "given up";
  readonly attempts: number;
  /** What the target answered last, or null when nothing was heard. */
  readonly status: number | null;
  /** Why the last attempt failed; null when none did. */
  readonly said: string | null;
  readonly budgetMs: number | null;
  /** When it is tried next or, once accepted, until when it has to have begun. */
  readonly nextAt: EpochMs;
}

/** Append-only: a step that has landed is never edited. */
export const POOL_SCHEMA = [
  `CREATE TABLE ready (
     flow_run_id TEXT PRIMARY KEY,
     queue_name TEXT NOT NULL,
     queue_priority INTEGER NOT NULL,
     due_at REAL NOT NULL
   ) WITHOUT ROWID;
   CREATE INDEX ready_order ON ready (queue_priority, due_at, flow_run_id);
   CREATE TABLE held (
     flow_run_id TEXT NOT NULL,
     generation INTEGER NOT NULL,
     worker_name TEXT NOT NULL,
     claimed_at REAL NOT NULL,
     occupies_pool INTEGER NOT NULL,
     occupies_worker INTEGER NOT NULL,
     PRIMARY KEY (flow_run_id, generation)
   ) WITHOUT ROWID;
   CREATE TABLE workers (
     name TEXT PRIMARY KEY,
     id TEXT NOT NULL,
     type TEXT NOT NULL,
     run_limit INTEGER NOT NULL,
     queue_names TEXT NOT NULL,
     is_online INTEGER NOT NULL,
     connected_at REAL NOT NULL,
     last_seen_at REAL NOT NULL,
     is_copied INTEGER NOT NULL
   ) WITHOUT ROWID;`,
  "ALTER TABLE ready ADD COLUMN is_late INTEGER NOT NULL DEFAULT 0;",
  `ALTER TABLE held ADD COLUMN queue_name TEXT NOT NULL DEFAULT '';
   ALTER TABLE held ADD COLUMN is_tentative INTEGER NOT NULL DEFAULT 0;
   DROP INDEX ready_order;
   CREATE INDEX ready_order ON ready (queue_priority, queue_name, due_at, flow_run_id);`,
  `CREATE TABLE pushes (
     flow_run_id TEXT PRIMARY KEY,
     generation INTEGER NOT NULL,
     ticket TEXT NOT NULL,
     state TEXT NOT NULL,
     attempts INTEGER NOT NULL,
     status INTEGER,
     said TEXT,
     budget_ms REAL,
     next_at REAL NOT NULL
   ) WITHOUT ROWID;`,
  "ALTER TABLE workers ADD COLUMN prefetch_ms REAL NOT NULL DEFAULT 0;",
] as const;

export type ReadyColumns = {
  flow_run_id: FlowRunId;
  queue_name: string;
  queue_priority: number;
  due_at: EpochMs;
};
export type HeldColumns = {
  flow_run_id: FlowRunId;
  generation: number;
  worker_name: string;
  claimed_at: EpochMs;
  queue_name: string;
  is_tentative: number;
  occupies_pool: number;
  occupies_worker: number;
};
export type PushColumns = {
  flow_run_id: FlowRunId;
  generation: number;
  ticket: string;
  state: PushRow["state"];
  attempts: number;
  status: number | null;
  said: string | null;
  budget_ms: number | null;
  next_at: EpochMs;
};
export type WorkerColumns = {
  name: string;
  id: string;
  type: string;
  run_limit: number;
  queue_names: string;
  prefetch_ms: number;
  is_online: number;
  connected_at: EpochMs;
  last_seen_at: EpochMs;
};

export function toReady(row: ReadyColumns): ReadyRun {
  return { id: row.flow_run_id, queueName: row.queue_name, queuePriority: row.queue_priority, dueAt: row.due_at };
}

export function toWorker(row: WorkerColumns): WorkerRow {
  return {
    name: row.name,
    id: row.id,
    type: row.type,
    limit: row.run_limit,
    queueNames: JSON.parse(row.queue_names),
    prefetchMs: row.prefetch_ms,
    isOnline: row.is_online === 1,
    connectedAt: row.connected_at,
    lastSeenAt: row.last_seen_at,
  };
}
