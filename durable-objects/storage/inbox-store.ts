/** The SQLite of an event inbox: events that were received and not handed on yet, in the order of their arrival. */
import type { Event } from "#protocol/events";
import { utf8Length } from "#protocol/utf8";

/** Append-only: a step that has landed is never edited. A row holds one event, or an array of those that came together. */
export const INBOX_SCHEMA: readonly string[] = ["CREATE TABLE inbox (seq INTEGER PRIMARY KEY, doc TEXT NOT NULL)"];

/** A row of an object holds 2 MB; one event is never larger than this and half as much again. */
const ROW_BYTES = 400_000;

/** What is handed on together goes through calls that carry 32 MB. */
const HAND_ON_BYTES = 4_000_000;

export interface InboxRow {
  readonly seq: number;
  readonly events: readonly Event[];
}

export class InboxStore {
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
  }

  /** Stores events that came together, in as few rows as hold them. */
  insert(events: readonly Event[]): void {
    let docs: string[] = [];
    let bytes = 0;
    for (const event of events) {
      const doc = JSON.stringify(event);
      const size = utf8Length(doc);
      if (docs.length > 0 && bytes + size > ROW_BYTES) {
        this.#insertRow(docs);
        docs = [];
        bytes = 0;
      }
      docs.push(doc);
      bytes += size;
    }
    if (docs.length > 0) this.#insertRow(docs);
  }

  /** The oldest rows, at most `limit` of them and not many more than `HAND_ON_BYTES`. */
  oldest(limit: number): InboxRow[] {
    const rows: InboxRow[] = [];
    let chars = 0;
    for (const { seq, doc } of this.#sql.exec<{ seq: number; doc: string }>(
      "SELECT seq, doc FROM inbox ORDER BY seq LIMIT ?",
      limit,
    )) {
      const events = JSON.parse(doc) as Event | Event[];
      rows.push({ seq, events: Array.isArray(events) ? events : [events] });
      chars += doc.length;
      if (chars > HAND_ON_BYTES) break;
    }
    return rows;
  }

  /** Forgets rows that were handed on. */
  remove(seqs: readonly number[]): void {
    this.#sql.exec("DELETE FROM inbox WHERE seq IN (SELECT value FROM json_each(?))", JSON.stringify(seqs));
  }

  #insertRow(docs: readonly string[]): void {
    this.#sql.exec("INSERT INTO inbox (doc) VALUES (?)", `[${docs.join(",")}]`);
  }
}
