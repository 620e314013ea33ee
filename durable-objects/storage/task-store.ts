/**
 * The SQLite of an object that owns task runs outside a flow. A row of `unsettled` says that its task run was changed and
 * is not copied to D1 yet, or has effects that are not performed yet.
 */
import type { TaskRunId } from "#protocol/ids";
import type { TaskRow } from "./run-rows.ts";

/** Append-only: a step that has landed is never edited. */
export const TASK_SCHEMA: readonly string[] = [
  `CREATE TABLE tasks (id TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE unsettled (id TEXT PRIMARY KEY) WITHOUT ROWID;`,
  `CREATE TABLE logs (subject TEXT, seq INTEGER, arrived_at REAL NOT NULL, bytes INTEGER NOT NULL, lines TEXT NOT NULL,
     PRIMARY KEY (subject, seq)) WITHOUT ROWID;`,
];

export class TaskStore {
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
  }

  task(id: TaskRunId): TaskRow | null {
    const doc = this.#sql.exec<{ doc: string }>("SELECT doc FROM tasks WHERE id = ?", id).toArray()[0]?.doc;
    return doc === undefined ? null : (JSON.parse(doc) as TaskRow);
  }

  /** Stores the row, and that it is to be settled. */
  put(row: TaskRow): void {
    this.#sql.exec(
      "INSERT INTO tasks VALUES (?, ?) ON CONFLICT DO UPDATE SET doc = excluded.doc",
      row.task.id,
      JSON.stringify(row),
    );
    this.#sql.exec("INSERT INTO unsettled VALUES (?) ON CONFLICT DO NOTHING", row.task.id);
  }

  delete(id: TaskRunId): void {
    this.#sql.exec("DELETE FROM tasks WHERE id = ?", id);
    this.settle([id]);
  }

  unsettled(): TaskRunId[] {
    return this.#sql
      .exec<{ id: string }>("SELECT id FROM unsettled")
      .toArray()
      .map((row) => row.id as TaskRunId);
  }

  settle(ids: readonly TaskRunId[]): void {
    this.#sql.exec("DELETE FROM unsettled WHERE id IN (SELECT value FROM json_each(?))", JSON.stringify(ids));
  }
}
