/**
 * Which limit the runs of a deployment take slots of, read from D1 when a run is claimed: a limit that is set, shared or
 * taken away takes effect on runs that wait already.
 *
 * Claims of one deployment that come close together share one read, so what is said here may be a quarter of a second
 * old. The limit's own settings are not taken from it alone: its object knows the newest.
 */
import type { FlowControl, KeyedConcurrency } from "#protocol/flow-control";
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
  SELECT l.id, l.name, l.slot_limit, l.slot_decay_per_second, l.updated,
    d.doc ->> '$.concurrency_options.collision_strategy' AS strategy,
    d.doc ->> '$.concurrency_options.grace_period_seconds' AS grace,
    f.doc ->> '$.concurrency' AS keyed, f.doc ->> '$.version' AS version, f.doc ->> '$.debounce' AS debounce, f.doc ->> '$.throttle' AS throttle
  FROM deployments d
  LEFT JOIN concurrency_limits l ON l.id = d.doc ->> '$.global_concurrency_limit_id' AND l.active = 1
  LEFT JOIN deployment_flow_controls f ON f.deployment_id = d.id
  WHERE d.id = ?`;

interface Row {
  readonly id: string | null;
  readonly name: string;
  readonly slot_limit: number;
  readonly slot_decay_per_second: number;
  readonly updated: number;
  readonly keyed: string | null;
  readonly version: number | null;
  readonly debounce: string | null;
  readonly throttle: string | null;
  readonly strategy: string | null;
  readonly grace: number | null;
}

/** A limit by key, and the version of what was said of it. */
export interface KeyedLimit {
  readonly settings: KeyedConcurrency;
  readonly version: number;
}

/** The limits of a deployment. */
export interface LimitsOfDeployment {
  /** Its own, or one that others share; null where there is none that is active. */
  readonly shared: DeploymentLimit | null;
  /** By a key of each run. */
  readonly keyed: KeyedLimit | null;
  /** What holds for triggers that come fast. */
  readonly debounce: FlowControl["debounce"];
  readonly throttle: FlowControl["throttle"];
}

export class DeploymentLimits {
  readonly #db: D1Database;
  readonly #reads = new Map<DeploymentId, { readonly at: number; readonly limits: Promise<LimitsOfDeployment> }>();

  constructor(db: D1Database) {
    this.#db = db;
  }

  of(id: DeploymentId): Promise<LimitsOfDeployment> {
    const now = clock.now();
    const known = this.#reads.get(id);
    if (known && now - known.at < SHARED_MS) return known.limits;
    const limits = this.#read(id);
    this.#reads.delete(id);
    this.#reads.set(id, { at: now, limits });
    const [oldest] = this.#reads.keys();
    if (this.#reads.size > REMEMBERED && oldest !== undefined) this.#reads.delete(oldest);
    // A failed read is not shared.
    limits.catch(() => this.#reads.delete(id));
    return limits;
  }

  /** The next claim reads anew: the deployment may have another limit by now. */
  forget(id: DeploymentId): void {
    this.#reads.delete(id);
  }

  async #read(id: DeploymentId): Promise<LimitsOfDeployment> {
    const row = await this.#db.prepare(OF_DEPLOYMENT).bind(id).first<Row>();
    const keyed = parsed<KeyedConcurrency>(row?.keyed);
    return {
      shared: row && row.id !== null ? limitOf({ ...row, id: row.id }) : null,
      keyed: keyed && { settings: keyed, version: row?.version ?? 0 },
      debounce: parsed<NonNullable<FlowControl["debounce"]>>(row?.debounce),
      throttle: parsed<NonNullable<FlowControl["throttle"]>>(row?.throttle),
    };
  }
}

function parsed<T>(json: string | null | undefined): T | null {
  return json ? (JSON.parse(json) as T) : null;
}

function limitOf(row: Row & { readonly id: string }): DeploymentLimit {
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
