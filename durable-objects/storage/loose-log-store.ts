/** Log lines that no flow run owns, in the SQLite of an object that owns task runs outside flows. */
import type { LogCreate } from "#protocol/logs";
import type { EpochMs } from "#protocol/time";
import type { LogChunk } from "./run-rows.ts";

const NUMBER_KEY = "log_seq";
/** No line came before this. */
const SINCE_KEY = "logs_since";

export class LooseLogStore {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Bytes of message that are kept under a subject. */
  bytes(subject: string): number {
    return this.#storage.sql
      .exec<{ bytes: number }>("SELECT coalesce(sum(bytes), 0) AS bytes FROM logs WHERE subject = ?", subject)
      .one().bytes;
  }

  insert(subject: string, lines: readonly LogCreate[], bytes: number, now: EpochMs): void {
    const seq = (this.#storage.kv.get<number>(NUMBER_KEY) ?? 0) + 1;
    this.#storage.kv.put(NUMBER_KEY, seq);
    if (this.since === null) this.#storage.kv.put(SINCE_KEY, now);
    this.#storage.sql.exec("INSERT INTO logs VALUES (?, ?, ?, ?, ?)", subject, seq, now, bytes, JSON.stringify(lines));
  }

  /** Chunks in the order of arrival. */
  *chunks(subject: string): Generator<LogChunk> {
    for (const row of this.#storage.sql.exec<{ seq: number; arrived_at: number; lines: string }>(
      "SELECT seq, arrived_at, lines FROM logs WHERE subject = ? ORDER BY seq",
      subject,
    )) {
      const lines = JSON.parse(row.lines) as LogCreate[];
      yield { seq: row.seq, arrivedAt: row.arrived_at as EpochMs, session: null, batch: 0, lines };
    }
  }

  /** When the oldest line that may be here came; null when there is none. */
  get since(): EpochMs | null {
    return this.#storage.kv.get<EpochMs>(SINCE_KEY) ?? null;
  }

  /** Deletes what came before an instant and belongs to no task run that is here: those take their lines with them. */
  deleteOwnerless(arrivedBefore: EpochMs): void {
    this.#storage.sql.exec(
      "DELETE FROM logs WHERE arrived_at < ? AND subject NOT IN (SELECT id FROM tasks)",
      arrivedBefore,
    );
    const oldest = this.#storage.sql
      .exec<{ at: number | null }>("SELECT min(arrived_at) AS at FROM logs WHERE arrived_at >= ?", arrivedBefore)
      .one().at;
    if (oldest === null) this.#storage.kv.delete(SINCE_KEY);
    else this.#storage.kv.put(SINCE_KEY, oldest);
  }

  delete(subject: string): void {
    this.#storage.sql.exec("DELETE FROM logs WHERE subject = ?", subject);
  }
}
