/** The SQLite of a concurrency limit's object: leases, places in line, and a little state. */
import type { LeaseHolder } from "#protocol/concurrency-limits";
import type { EpochMs } from "#protocol/time";
import type { LimitSettings } from "../concurrency-limit-owner.ts";
import { LazySchema } from "./migrate.ts";

export interface LeaseRow {
  readonly id: string;
  /** Taken of this limit. */
  readonly slots: number;
  /**
   * `tentative`: it is not known yet whether the lease gets all its limits. `held`. `releasing`: over, and takes no slot;
   * the other limits are still to be told.
   */
  readonly state: "tentative" | "held" | "releasing";
  /** Ids of the other limits of the lease; only at its home. */
  readonly others: readonly string[];
  readonly holder: LeaseHolder | null;
  readonly acquiredAt: EpochMs;
  readonly ttlMs: number | null;
  /** Of a tentative one: when its outcome is asked for. */
  readonly expiresAt: EpochMs | null;
  /** Slots in the bucket before these, of a limit that decays; see LimitSlots. */
  readonly levelBefore: number;
}

/** A place in line of somebody who is not connected to this object. */
export interface PlaceRow {
  readonly key: string;
  readonly slots: number;
  readonly priority: number;
  readonly since: EpochMs;
  readonly holder: LeaseHolder | null;
  /** Object at which the waiter is connected; null for one who comes back to ask. */
  readonly home: string | null;
  /** When whoever polls was told to be back, and when the place is lost. */
  readonly dueAt: EpochMs;
  readonly lapsesAt: EpochMs;
  readonly isAnonymous: boolean;
  /** Slots that come free are kept for it: others overtook it before. */
  readonly isKept: boolean;
  /** When one who waits at another object is asked after; null for those who are not. */
  readonly lookAt: EpochMs | null;
}

/** What is not a row of its own. */
export interface LimitState {
  /** Slots that are taken without a lease. */
  readonly unleased: number;
  /** Fill of the bucket of a limit that decays, and when it was that. */
  readonly level: number;
  readonly levelAt: EpochMs;
  readonly averageOccupancyMs: number;
}

const STEPS = [
  `CREATE TABLE leases (
     id TEXT PRIMARY KEY,
     slots REAL NOT NULL,
     state TEXT NOT NULL,
     others TEXT NOT NULL,
     holder TEXT NOT NULL,
     acquired_at REAL NOT NULL,
     ttl_ms REAL,
     expires_at REAL,
     level_before REAL NOT NULL
   ) WITHOUT ROWID;
   CREATE TABLE places (key TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID;`,
] as const;

type LeaseColumns = {
  id: string;
  slots: number;
  state: string;
  others: string;
  holder: string;
  acquired_at: EpochMs;
  ttl_ms: number | null;
  expires_at: EpochMs | null;
  level_before: number;
};

/** Reads answer "nothing" before the first write; the first write makes the schema. */
export class LimitStore {
  readonly #storage: DurableObjectStorage;
  readonly #schema: LazySchema;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#schema = new LazySchema(storage, STEPS);
  }

  /** Makes the schema; outside of every transaction, since one that is undone would take it along. */
  open(): void {
    this.#schema.make();
  }

  settings(): LimitSettings | null {
    return this.#storage.kv.get<LimitSettings>("settings") ?? null;
  }

  putSettings(settings: LimitSettings): void {
    this.#storage.kv.put("settings", settings);
  }

  state(): LimitState | null {
    return this.#storage.kv.get<LimitState>("state") ?? null;
  }

  putState(state: LimitState): void {
    this.#storage.kv.put("state", state);
  }

  leases(): LeaseRow[] {
    if (!this.#schema.isMade) return [];
    return this.#storage.sql
      .exec<LeaseColumns>("SELECT * FROM leases")
      .toArray()
      .map((row) => ({
        id: row.id,
        slots: row.slots,
        state: row.state as LeaseRow["state"],
        others: JSON.parse(row.others),
        holder: JSON.parse(row.holder),
        acquiredAt: row.acquired_at,
        ttlMs: row.ttl_ms,
        expiresAt: row.expires_at,
        levelBefore: row.level_before,
      }));
  }

  putLease(row: LeaseRow): void {
    this.#storage.sql.exec(
      "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      row.id,
      row.slots,
      row.state,
      JSON.stringify(row.others),
      JSON.stringify(row.holder),
      row.acquiredAt,
      row.ttlMs,
      row.expiresAt,
      row.levelBefore,
    );
  }

  deleteLease(id: string): void {
    this.#storage.sql.exec("DELETE FROM leases WHERE id = ?", id);
  }

  places(): PlaceRow[] {
    if (!this.#schema.isMade) return [];
    return this.#storage.sql
      .exec<{ doc: string }>("SELECT doc FROM places")
      .toArray()
      .map((row) => JSON.parse(row.doc) as PlaceRow);
  }

  putPlace(place: PlaceRow): void {
    this.#storage.sql.exec("INSERT OR REPLACE INTO places VALUES (?, ?)", place.key, JSON.stringify(place));
  }

  deletePlace(key: string): void {
    this.#storage.sql.exec("DELETE FROM places WHERE key = ?", key);
  }
}
