/**
 * The SQLite of an event hub: the events of the last minutes, numbered in the order of their arrival, and filters that
 * are too large for the attachment of a socket.
 *
 * Written rows are what is paid for, so events share rows: those that arrive together are one write, and a row is
 * written on until it is full or old (docs/decisions/0007). The ids stand before the events, so that reading ids alone
 * leaves the pages of the events alone.
 */
import type { ReceivedEvent } from "#protocol/events";
import type { EpochMs } from "#protocol/time";
import { utf8Length } from "#protocol/utf8";

/** Append-only: a step that has landed is never edited. */
export const HUB_SCHEMA: readonly string[] = [
  `CREATE TABLE chunks (seq INTEGER PRIMARY KEY, count INTEGER NOT NULL, opened_at REAL NOT NULL,
     bytes INTEGER NOT NULL, ids TEXT NOT NULL, events TEXT NOT NULL);
   CREATE TABLE filters (socket TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID;`,
];

/** A row is written on until it holds this many bytes: appending writes the whole row anew. */
const CHUNK_BYTES = 32 * 1024;
/** A row is written on for this long, so that what is kept too long with it is little. */
const CHUNK_MS = 30_000;

/** A row of an object holds 2 MB; one event is never larger than this and half as much again. */
const ROW_BYTES = 1_000_000;

/** An event with its number, and as it is sent. */
export interface StoredEvent {
  readonly seq: number;
  readonly event: ReceivedEvent;
  readonly text: string;
}

/** A chunk without its events. */
interface ChunkHead {
  readonly seq: number;
  readonly count: number;
  readonly openedAt: EpochMs;
  readonly bytes: number;
}

export class EventStore {
  readonly #sql: SqlStorage;
  /** Every chunk, oldest first. */
  readonly #chunks: ChunkHead[] = [];
  readonly #ids = new Set<string>();
  #bytes = 0;

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
    const heads = this.#sql.exec<{ seq: number; count: number; opened_at: number; bytes: number; ids: string }>(
      "SELECT seq, count, opened_at, bytes, ids FROM chunks ORDER BY seq",
    );
    for (const { seq, count, opened_at, bytes, ids } of heads) {
      this.#chunks.push({ seq, count, openedAt: opened_at as EpochMs, bytes });
      this.#bytes += bytes;
      for (const id of ids.split(",")) this.#ids.add(id);
    }
  }

  /** The number of the next event. */
  get nextSeq(): number {
    const last = this.#chunks.at(-1);
    return last ? last.seq + last.count : 1;
  }

  /** The number of the oldest event that is kept. */
  get firstSeq(): number {
    return this.#chunks[0]?.seq ?? 1;
  }

  /** Bytes of events that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** When the oldest chunk but the newest was begun; null when nothing is there to be trimmed. */
  get oldestAt(): EpochMs | null {
    return this.#chunks.length > 1 ? (this.#chunks[0]?.openedAt ?? null) : null;
  }

  knows(id: string): boolean {
    return this.#ids.has(id);
  }

  /** Stores events that are not known yet: in one write, unless they are larger than a row may be. */
  append(events: readonly ReceivedEvent[], now: EpochMs): StoredEvent[] {
    const first = this.nextSeq;
    const stored = events.map((event, index) => ({ seq: first + index, event, text: JSON.stringify(event) }));
    let group: StoredEvent[] = [];
    let bytes = 0;
    for (const event of stored) {
      const size = utf8Length(event.text) + 1;
      if (group.length > 0 && bytes + size > ROW_BYTES) {
        this.#write(group, bytes, now);
        group = [];
        bytes = 0;
      }
      group.push(event);
      bytes += size;
    }
    if (group.length > 0) this.#write(group, bytes, now);
    return stored;
  }

  /** The events of the chunk that holds number `seq`, from that number on; what lies before the oldest is skipped. */
  from(seq: number): StoredEvent[] {
    const head = this.#chunks.find((chunk) => chunk.seq + chunk.count > seq);
    if (!head) return [];
    const { events } = this.#sql.exec<{ events: string }>("SELECT events FROM chunks WHERE seq = ?", head.seq).one();
    return events
      .split("\n")
      .map((text, index) => ({ seq: head.seq + index, text }))
      .filter((event) => event.seq >= seq)
      .map((event) => ({ ...event, event: JSON.parse(event.text) as ReceivedEvent }));
  }

  /**
   * Deletes the oldest chunks, at most `most` of them, that were begun before `before` or are more than `bytesKept`.
   * The newest stays, since the numbers go on after it. Answers whether there is more to delete.
   */
  trim(before: EpochMs, bytesKept: number, most: number): boolean {
    let deleted = 0;
    for (; deleted < most && this.#isPassed(before, bytesKept); deleted++) {
      const chunk = this.#chunks.shift();
      if (!chunk) break;
      const { ids } = this.#sql
        .exec<{ ids: string }>("DELETE FROM chunks WHERE seq = ? RETURNING ids", chunk.seq)
        .one();
      for (const id of ids.split(",")) this.#ids.delete(id);
      this.#bytes -= chunk.bytes;
    }
    return this.#isPassed(before, bytesKept);
  }

  putFilter(socket: string, doc: string): void {
    this.#sql.exec("INSERT INTO filters VALUES (?, ?) ON CONFLICT DO UPDATE SET doc = excluded.doc", socket, doc);
  }

  filter(socket: string): string | null {
    return (
      this.#sql.exec<{ doc: string }>("SELECT doc FROM filters WHERE socket = ?", socket).toArray()[0]?.doc ?? null
    );
  }

  /** Forgets the filters of all sockets but these. */
  keepFilters(sockets: readonly string[]): void {
    this.#sql.exec("DELETE FROM filters WHERE socket NOT IN (SELECT value FROM json_each(?))", JSON.stringify(sockets));
  }

  #write(group: readonly StoredEvent[], bytes: number, now: EpochMs): void {
    const ids = group.map(({ event }) => event.id).join(",");
    const text = group.map((event) => event.text).join("\n");
    const seq = this.nextSeq;
    const last = this.#chunks.at(-1);
    if (last && last.bytes + bytes <= CHUNK_BYTES && now - last.openedAt < CHUNK_MS) {
      this.#sql.exec(
        `UPDATE chunks SET count = count + ?, bytes = bytes + ?, ids = ids || ',' || ?, events = events || char(10) || ?
         WHERE seq = ?`,
        group.length,
        bytes,
        ids,
        text,
        last.seq,
      );
      const grown = { ...last, count: last.count + group.length, bytes: last.bytes + bytes };
      this.#chunks[this.#chunks.length - 1] = grown;
    } else {
      this.#sql.exec("INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?)", seq, group.length, now, bytes, ids, text);
      this.#chunks.push({ seq, count: group.length, openedAt: now, bytes });
    }
    this.#bytes += bytes;
    for (const { event } of group) this.#ids.add(event.id);
  }

  #isPassed(before: EpochMs, bytesKept: number): boolean {
    const oldestAt = this.oldestAt;
    return oldestAt !== null && (oldestAt < before || this.#bytes > bytesKept);
  }
}
