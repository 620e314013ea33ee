/** The SQLite of a deployment's keyed limit: who holds, who waits, whose turn it was, and when triggers came. */
import type { KeyedConcurrency } from "#protocol/flow-control";
import type { FlowRunId } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";
import type { KeyedAsk, KeyedRow } from "../keyed-limit-owner.ts";
import { LazySchema } from "./migrate.ts";

const STEPS = [
  `CREATE TABLE holds (run TEXT PRIMARY KEY, key TEXT NOT NULL, since REAL NOT NULL, asked_at REAL NOT NULL,
     check_at REAL NOT NULL) WITHOUT ROWID;
   CREATE INDEX holds_key ON holds (key);
   CREATE TABLE line (run TEXT PRIMARY KEY, key TEXT NOT NULL, priority INTEGER NOT NULL, since REAL NOT NULL,
     asked_at REAL NOT NULL, called_until REAL) WITHOUT ROWID;
   CREATE INDEX line_key ON line (key, priority, since);
   CREATE TABLE turns (key TEXT PRIMARY KEY, served_at REAL NOT NULL) WITHOUT ROWID;
   CREATE TABLE triggers (kind TEXT NOT NULL, key TEXT NOT NULL, run TEXT, at REAL NOT NULL, PRIMARY KEY (kind, key))
     WITHOUT ROWID;`,
] as const;

type Row = { run: FlowRunId; key: string; since: EpochMs; asked_at: EpochMs };

/** Reads answer "nothing" before the first write; the first write makes the schema. */
export class KeyedLimitStore {
  readonly #storage: DurableObjectStorage;
  readonly #schema: LazySchema;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#schema = new LazySchema(storage, STEPS);
  }

  /** Makes the schema; outside of every transaction. */
  open(): void {
    this.#schema.make();
  }

  settings(): KeyedConcurrency | null {
    return this.#storage.kv.get<KeyedConcurrency>("settings") ?? null;
  }

  /** Of the settings; 0 for none. */
  version(): number {
    return this.#storage.kv.get<number>("version") ?? 0;
  }

  putSettings(settings: KeyedConcurrency | null, version: number): void {
    this.#storage.kv.put("settings", settings);
    this.#storage.kv.put("version", version);
  }

  hold(run: FlowRunId): { key: string; askedAt: EpochMs } | null {
    const [row] = this.#all<Row>("SELECT * FROM holds WHERE run = ?", run);
    return row ? { key: row.key, askedAt: row.asked_at } : null;
  }

  putHold(row: KeyedRow & { readonly askedAt: EpochMs }, checkAt: EpochMs): void {
    this.#storage.sql.exec(
      "INSERT OR REPLACE INTO holds VALUES (?, ?, ?, ?, ?)",
      row.run,
      row.key,
      row.since,
      row.askedAt,
      checkAt,
    );
  }

  askedAgain(run: FlowRunId, askedAt: EpochMs, checkAt: EpochMs): void {
    this.#storage.sql.exec("UPDATE holds SET asked_at = ?, check_at = ? WHERE run = ?", askedAt, checkAt, run);
  }

  checkHold(run: FlowRunId, checkAt: EpochMs): void {
    this.#storage.sql.exec("UPDATE holds SET check_at = ? WHERE run = ?", checkAt, run);
  }

  deleteHold(run: FlowRunId): void {
    this.#storage.sql.exec("DELETE FROM holds WHERE run = ?", run);
  }

  /** Holds of a key; with null of all. */
  countHolds(key: string | null): number {
    const [row] = this.#all<{ n: number }>("SELECT count(*) AS n FROM holds WHERE ?1 IS NULL OR key = ?1", key);
    return row?.n ?? 0;
  }

  holders(key: string | null): KeyedRow[] {
    return this.#all<Row>("SELECT * FROM holds WHERE ?1 IS NULL OR key = ?1 ORDER BY since, run", key).map(rowOf);
  }

  holdsToCheck(now: EpochMs): { run: FlowRunId; askedAt: EpochMs }[] {
    const rows = this.#all<Row>("SELECT * FROM holds WHERE check_at <= ?", now);
    return rows.map((row) => ({ run: row.run, askedAt: row.asked_at }));
  }

  putPlace({ run, key, priority, since, askedAt }: KeyedAsk): void {
    this.#storage.sql.exec(
      "INSERT OR REPLACE INTO line VALUES (?, ?, ?, ?, ?, NULL)",
      run,
      key,
      priority,
      since,
      askedAt,
    );
  }

  place(run: FlowRunId): { key: string; askedAt: EpochMs } | null {
    const [row] = this.#all<Row>("SELECT * FROM line WHERE run = ?", run);
    return row ? { key: row.key, askedAt: row.asked_at } : null;
  }

  deletePlace(run: FlowRunId): void {
    this.#storage.sql.exec("DELETE FROM line WHERE run = ?", run);
  }

  call(run: FlowRunId, until: EpochMs): void {
    this.#storage.sql.exec("UPDATE line SET called_until = ? WHERE run = ?", until, run);
  }

  /** Forgets those who were called and did not come. */
  lapse(now: EpochMs): void {
    if (this.#schema.isMade) this.#storage.sql.exec("DELETE FROM line WHERE called_until <= ?", now);
  }

  /** Slots that are kept for others who were called, of a key or of all. */
  countCalled(key: string | null, except: FlowRunId | null): number {
    const [row] = this.#all<{ n: number }>(
      "SELECT count(*) AS n FROM line WHERE called_until IS NOT NULL AND (?1 IS NULL OR key = ?1) AND run IS NOT ?2",
      key,
      except,
    );
    return row?.n ?? 0;
  }

  /** The next of a key who was not called yet. */
  nextOf(key: string): KeyedRow | null {
    const [row] = this.#all<Row>(
      "SELECT * FROM line WHERE key = ? AND called_until IS NULL ORDER BY priority, since, run LIMIT 1",
      key,
    );
    return row ? rowOf(row) : null;
  }

  /** Keys of which somebody was not called yet. */
  waitingKeys(): string[] {
    return this.#all<{ key: string }>("SELECT DISTINCT key FROM line WHERE called_until IS NULL").map(({ key }) => key);
  }

  /** The key whose turn it is: with the fewest slots, and of those the one that was served longest ago. */
  keyInTurn(): string | null {
    const [row] = this.#all<{ key: string }>(
      `SELECT w.key FROM (SELECT DISTINCT key FROM line WHERE called_until IS NULL) w
       LEFT JOIN turns t ON t.key = w.key
       ORDER BY (SELECT count(*) FROM holds h WHERE h.key = w.key)
         + (SELECT count(*) FROM line l WHERE l.key = w.key AND l.called_until IS NOT NULL),
         coalesce(t.served_at, 0), w.key LIMIT 1`,
    );
    return row?.key ?? null;
  }

  served(key: string, at: EpochMs): void {
    this.#storage.sql.exec("INSERT OR REPLACE INTO turns VALUES (?, ?)", key, at);
  }

  waiters(key: string | null): KeyedRow[] {
    return this.#all<Row>(
      "SELECT * FROM line WHERE ?1 IS NULL OR key = ?1 ORDER BY key, priority, since, run",
      key,
    ).map(rowOf);
  }

  trigger(kind: string, key: string): { run: FlowRunId | null; at: EpochMs } | null {
    const [row] = this.#all<{ run: FlowRunId | null; at: EpochMs }>(
      "SELECT run, at FROM triggers WHERE kind = ? AND key = ?",
      kind,
      key,
    );
    return row ?? null;
  }

  putTrigger(kind: string, key: string, run: FlowRunId | null, at: EpochMs): void {
    this.#storage.sql.exec("INSERT OR REPLACE INTO triggers VALUES (?, ?, ?, ?)", kind, key, run, at);
  }

  /** Forgets triggers and turns that nothing depends on any more. */
  forgetBefore(at: EpochMs): void {
    if (!this.#schema.isMade) return;
    this.#storage.sql.exec("DELETE FROM triggers WHERE at < ?", at);
    this.#storage.sql.exec("DELETE FROM turns WHERE served_at < ?", at);
  }

  /** Whether there is something that {@link forgetBefore} will forget one day. */
  remembers(): boolean {
    return this.#all("SELECT 1 FROM (SELECT 1 FROM triggers UNION ALL SELECT 1 FROM turns) LIMIT 1").length > 0;
  }

  /** When something is to be looked at next; null when nothing is. */
  nextLookAt(): EpochMs | null {
    const [row] = this.#all<{ at: EpochMs | null }>(
      "SELECT min(at) AS at FROM (SELECT min(called_until) AS at FROM line UNION ALL SELECT min(check_at) FROM holds)",
    );
    return row?.at ?? null;
  }

  #all<T extends Record<string, SqlStorageValue>>(query: string, ...bound: SqlStorageValue[]): T[] {
    return this.#schema.isMade ? this.#storage.sql.exec<T>(query, ...bound).toArray() : [];
  }
}

function rowOf({ run, key, since }: Row): KeyedRow {
  return { run, key, since };
}
