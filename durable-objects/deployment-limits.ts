/**
 * Which limit the runs of a deployment take slots of, read from D1 when a run is claimed: a limit that is set, shared or
 * taken away takes effect on runs that wait already.
 *
 * Claims of one deployment that come close together share one read, so what is said here may be a quarter of a second
 * old. The limit's own settings are not taken from it alone: its object knows the newest.
 */
import type { DeploymentId } from "#protocol/ids";
import { SPANS } from "#protocol/limits";
import { clock } from "./clock.ts";
import type { LimitSettings } from "./concurrency-limit-owner.ts";

const SHARED_MS = 250;
/** Deployments whose last read is remembered. */
const REMEMBERED = 200;

export interface DeploymentLimit {
  readonly name: string;
  readonly settings: LimitSettings;
  /** What becomes of a run for which there is no slot. */
  readonly collision: "wait" | "cancel";
  /** For how long a claimed run holds its slot until it starts; null when nothing was said. */
  readonly graceMs: number | null;
}

const OF_DEPLOYMENT = `
  SELECT l.id, l.name, l.slot_limit, l.active, l.slot_decay_per_second, l.updated,
    d.doc ->> '$.concurrency_options.collision_strategy' AS strategy,
    d.doc ->> '$.concurrency_options.grace_period_seconds' AS grace
  FROM deployments d JOIN concurrency_limits l ON l.id = d.doc ->> '$.global_concurrency_limit_id'
  WHERE d.id = ?`;

interface Row {
  readonly id: string;
  readonly name: string;
  readonly slot_limit: number;
  readonly active: number;
  readonly slot_decay_per_second: number;
  readonly updated: number;
  readonly strategy: string | null;
  readonly grace: number | null;
}

export class DeploymentLimits {
  readonly #db: D1Database;
  readonly #reads = new Map<DeploymentId, { readonly at: number; readonly limit: Promise<DeploymentLimit | null> }>();

  constructor(db: D1Database) {
    this.#db = db;
  }

  /** Null for a deployment without a limit, or whose limit is not active. */
  of(id: DeploymentId): Promise<DeploymentLimit | null> {
    const now = clock.now();
    const known = this.#reads.get(id);
    if (known && now - known.at < SHARED_MS) return known.limit;
    const limit = this.#read(id);
    this.#reads.delete(id);
    this.#reads.set(id, { at: now, limit });
    const [oldest] = this.#reads.keys();
    if (this.#reads.size > REMEMBERED && oldest !== undefined) this.#reads.delete(oldest);
    // A failed read is not shared.
    limit.catch(() => this.#reads.delete(id));
    return limit;
  }

  /** The next claim reads anew: the deployment may have another limit by now. */
  forget(id: DeploymentId): void {
    this.#reads.delete(id);
  }

  async #read(id: DeploymentId): Promise<DeploymentLimit | null> {
    const row = await this.#db.prepare(OF_DEPLOYMENT).bind(id).first<Row>();
    if (!row || row.active === 0) return null;
    return {
      name: row.name,
      settings: {
        id: row.id,
        limit: row.slot_limit,
        active: true,
        slotDecayPerSecond: row.slot_decay_per_second,
        maxRetryAfterMs: SPANS.slotWaitMs,
        version: row.updated,
      },
      collision: row.strategy === "CANCEL_NEW" ? "cancel" : "wait",
      graceMs: row.grace === null ? null : row.grace * 1_000,
    };
  }
}
