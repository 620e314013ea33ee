/** Limits as clients see them: the row, with what the limit's object knows. */
import type { GlobalConcurrencyLimit } from "#protocol/concurrency-limits";
import { type EpochMs, toWireTime } from "#protocol/time";
import { limitOwner } from "../durable-objects/limit-owner.ts";
import type { LimitRow } from "./db/queries/concurrency-limits.ts";

export async function withSlots(env: Env, row: LimitRow): Promise<GlobalConcurrencyLimit> {
  return toLimit(row, await limitOwner(env.CONCURRENCY_LIMITS, row.id).activeSlots());
}

export function toLimit(row: LimitRow, activeSlots: number): GlobalConcurrencyLimit {
  return {
    id: row.id,
    created: toWireTime(row.created as EpochMs),
    updated: toWireTime(row.updated as EpochMs),
    active: row.active,
    name: row.name,
    limit: row.slotLimit,
    active_slots: activeSlots,
    slot_decay_per_second: row.slotDecayPerSecond,
  };
}
