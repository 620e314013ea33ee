/**
 * The SQLite of a queue of background tasks. A task waits (no holder), is in a subscriber's hand, or was acknowledged; the
 * last is remembered for a while, so that a repeated enqueue does not deliver it again.
 */
import type { StateId, TaskRunId } from "#protocol/ids";
import type { TaskRun } from "#protocol/task-runs";
import type { EpochMs } from "#protocol/time";
import type { SubscriberName } from "../task-queue-owner.ts";

/** Append-only: a step that has landed is never edited. */
export const QUEUE_SCHEMA: readonly string[] = [
  `CREATE TABLE tasks (id TEXT PRIMARY KEY, state_id TEXT NOT NULL, lane INTEGER NOT NULL, due_at REAL NOT NULL,
     holder TEXT, doc TEXT NOT NULL) WITHOUT ROWID;
   CREATE INDEX waiting ON tasks (lane, due_at) WHERE holder IS NULL;
   CREATE TABLE subscribers (name TEXT PRIMARY KEY) WITHOUT ROWID;`,
];

/** Retries and what came back go before the rest. */
export type Lane = 0 | 1;

export interface QueueRow {
  readonly id: TaskRunId;
  readonly stateId: StateId | null;
  readonly lane: Lane;
  readonly dueAt: EpochMs;
  /** Null while it waits; empty once it was acknowledged. */
  readonly holder: SubscriberName | "" | null;
}

export class TaskQueueStore {
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
  }

  row(id: TaskRunId): QueueRow | null {
    const [row] = this.#sql
      .exec<{ state_id: string; lane: number; due_at: number; holder: string | null }>(
        "SELECT state_id, lane, due_at, holder FROM tasks WHERE id = ?",
        id,
      )
      .toArray();
    if (!row) return null;
    return {
      id,
      stateId: row.state_id as StateId,
      lane: row.lane as Lane,
      dueAt: row.due_at as EpochMs,
      holder: row.holder as QueueRow["holder"],
    };
  }

  task(id: TaskRunId): TaskRun | null {
    const doc = this.#sql.exec<{ doc: string }>("SELECT doc FROM tasks WHERE id = ?", id).toArray()[0]?.doc;
    return doc ? (JSON.parse(doc) as TaskRun) : null;
  }

  /** Puts a task among those that wait, whatever became of it before. */
  put(task: TaskRun, lane: Lane, dueAt: EpochMs): void {
    this.#sql.exec(
      `INSERT INTO tasks VALUES (?, ?, ?, ?, NULL, ?) ON CONFLICT DO UPDATE SET state_id = excluded.state_id,
         lane = excluded.lane, due_at = excluded.due_at, holder = NULL, doc = excluded.doc`,
      task.id,
      task.state_id ?? "",
      lane,
      dueAt,
      JSON.stringify(task),
    );
  }

  /** The task that is to be delivered next. */
  first(now: EpochMs): TaskRun | null {
    for (const lane of [0, 1]) {
      const [row] = this.#sql
        .exec<{ doc: string }>(
          "SELECT doc FROM tasks WHERE holder IS NULL AND lane = ? AND due_at <= ? ORDER BY due_at LIMIT 1",
          lane,
          now,
        )
        .toArray();
      if (row) return JSON.parse(row.doc) as TaskRun;
    }
    return null;
  }

  /** When the next task becomes due after `now`; null when none does. */
  nextDueAt(now: EpochMs): EpochMs | null {
    let next: number | null = null;
    for (const lane of [0, 1]) {
      const { due_at } = this.#sql
        .exec<{ due_at: number | null }>(
          "SELECT min(due_at) AS due_at FROM tasks WHERE holder IS NULL AND lane = ? AND due_at > ?",
          lane,
          now,
        )
        .one();
      if (due_at !== null && (next === null || due_at < next)) next = due_at;
    }
    return next as EpochMs | null;
  }

  hold(id: TaskRunId, holder: SubscriberName): void {
    this.#sql.exec("UPDATE tasks SET holder = ? WHERE id = ?", holder, id);
  }

  /**
   * Marks a task whose holder is not there, or is again. The mark is the time, negative, in place of the one at which the
   * task is due, which says nothing while it is held: it outlives the object's memory.
   */
  markMissing(id: TaskRunId, since: EpochMs | null): void {
    this.#sql.exec("UPDATE tasks SET due_at = ? WHERE id = ?", since === null ? 0 : -since, id);
  }

  /** Back among those that wait: before all others when it had been delivered, else where it was. */
  release(id: TaskRunId, wasDelivered: boolean): void {
    this.#sql.exec("UPDATE tasks SET holder = NULL, lane = min(lane, ?) WHERE id = ?", wasDelivered ? 0 : 1, id);
  }

  /** From now on only the memory of it is kept. */
  acknowledge(id: TaskRunId, now: EpochMs): void {
    this.#sql.exec("UPDATE tasks SET holder = '', due_at = ?, doc = '' WHERE id = ?", now, id);
  }

  delete(id: TaskRunId): void {
    this.#sql.exec("DELETE FROM tasks WHERE id = ?", id);
  }

  /** Forgets what was acknowledged before this; answers whether there is more to forget later. */
  purge(before: EpochMs): boolean {
    this.#sql.exec("DELETE FROM tasks WHERE holder = '' AND due_at < ?", before);
    return this.#sql.exec("SELECT 1 FROM tasks WHERE holder = '' LIMIT 1").toArray().length > 0;
  }

  held(): { readonly id: TaskRunId; readonly holder: SubscriberName }[] {
    return this.#sql
      .exec<{ id: string; holder: string }>("SELECT id, holder FROM tasks WHERE holder > ''")
      .toArray()
      .map((row) => ({ id: row.id as TaskRunId, holder: row.holder as SubscriberName }));
  }

  countWaiting(): number {
    return this.#sql.exec<{ count: number }>("SELECT count(*) AS count FROM tasks WHERE holder IS NULL").one().count;
  }

  addSubscriber(name: SubscriberName): void {
    this.#sql.exec("INSERT INTO subscribers VALUES (?) ON CONFLICT DO NOTHING", name);
  }

  removeSubscriber(name: SubscriberName): void {
    this.#sql.exec("DELETE FROM subscribers WHERE name = ?", name);
  }

  subscribers(): SubscriberName[] {
    return this.#sql
      .exec<{ name: string }>("SELECT name FROM subscribers")
      .toArray()
      .map((row) => row.name as SubscriberName);
  }
}
