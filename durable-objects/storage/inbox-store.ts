/** The SQLite of an event inbox: events that were received and not handed on yet, by their own ids. */
import type { Event } from "#protocol/events";

/** Append-only: a step that has landed is never edited. */
export const INBOX_SCHEMA: readonly string[] = ["CREATE TABLE inbox (seq INTEGER PRIMARY KEY, doc TEXT NOT NULL)"];

export interface InboxRow {
  readonly seq: number;
  readonly event: Event;
}

export class InboxStore {
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
  }

  insert(event: Event): void {
    this.#sql.exec("INSERT INTO inbox (doc) VALUES (?)", JSON.stringify(event));
  }

  /** The oldest rows, at most `limit` of them. */
  oldest(limit: number): InboxRow[] {
    return this.#sql
      .exec<{ seq: number; doc: string }>("SELECT seq, doc FROM inbox ORDER BY seq LIMIT ?", limit)
      .toArray()
      .map((row) => ({ seq: row.seq, event: JSON.parse(row.doc) as Event }));
  }

  /** Forgets rows that were handed on. */
  remove(seqs: readonly number[]): void {
    this.#sql.exec("DELETE FROM inbox WHERE seq IN (SELECT value FROM json_each(?))", JSON.stringify(seqs));
  }
}
