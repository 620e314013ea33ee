/** The SQLite of an object that holds the sockets of task workers: who is connected, and for which task keys. */
import type { EpochMs } from "#protocol/time";
import type { SubscriberName } from "../task-queue-owner.ts";

/** Append-only: a step that has landed is never edited. */
export const SUBSCRIPTION_SCHEMA: readonly string[] = [
  `CREATE TABLE subscribers (name TEXT PRIMARY KEY, client_id TEXT NOT NULL, keys TEXT NOT NULL,
     left_at REAL) WITHOUT ROWID;`,
];

export interface Subscriber {
  readonly name: SubscriberName;
  readonly clientId: string;
  readonly keys: readonly string[];
}

export interface ListedWorker {
  readonly clientId: string;
  readonly keys: string[];
  /** When the last of its connections went away; null while one is there. */
  readonly seenAt: EpochMs | null;
}

export class SubscriptionStore {
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
  }

  /** Adds a connection, and forgets those of the same worker that went away. */
  insert({ name, clientId, keys }: Subscriber): void {
    this.#sql.exec("DELETE FROM subscribers WHERE client_id = ? AND left_at IS NOT NULL", clientId);
    this.#sql.exec("INSERT INTO subscribers VALUES (?, ?, ?, NULL)", name, clientId, JSON.stringify(keys));
  }

  keysOf(name: SubscriberName): string[] {
    return this.#keys("SELECT keys FROM subscribers WHERE name = ? AND left_at IS NULL", name);
  }

  /** Notes that a connection is gone, once; answers the keys that it had. */
  leave(name: SubscriberName, now: EpochMs): string[] {
    return this.#keys(
      "UPDATE subscribers SET left_at = ? WHERE name = ? AND left_at IS NULL RETURNING keys",
      now,
      name,
    );
  }

  connected(): SubscriberName[] {
    return this.#sql
      .exec<{ name: string }>("SELECT name FROM subscribers WHERE left_at IS NULL")
      .toArray()
      .map((row) => row.name as SubscriberName);
  }

  /** Workers with a connection, or whose last one went away after `since`. Forgets the others. */
  workers(since: number): ListedWorker[] {
    this.#sql.exec("DELETE FROM subscribers WHERE left_at < ?", since);
    const rows = this.#sql
      .exec<{ client_id: string; keys: string; left_at: number | null }>(
        "SELECT client_id, keys, left_at FROM subscribers ORDER BY client_id",
      )
      .toArray();
    const workers = new Map<string, ListedWorker>();
    for (const { client_id: clientId, keys, left_at: leftAt } of rows) {
      const known = workers.get(clientId);
      const all = new Set([...(known?.keys ?? []), ...(JSON.parse(keys) as string[])]);
      const isHere = leftAt === null || known?.seenAt === null;
      const seenAt = isHere ? null : (Math.max(leftAt, known?.seenAt ?? 0) as EpochMs);
      workers.set(clientId, { clientId, keys: [...all], seenAt });
    }
    return [...workers.values()];
  }

  #keys(query: string, ...values: (string | number)[]): string[] {
    const [row] = this.#sql.exec<{ keys: string }>(query, ...values).toArray();
    return row ? (JSON.parse(row.keys) as string[]) : [];
  }
}
