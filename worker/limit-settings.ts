/** What the object of a limit is told of its row. */
import { SPANS } from "#protocol/limits";
import type { LimitSettings } from "../durable-objects/concurrency-limit-owner.ts";
import { TAG_PREFIX } from "../durable-objects/tag-slots.ts";
import type { LimitRow } from "./db/queries/concurrency-limits.ts";

export function limitSettings(row: LimitRow): LimitSettings {
  return {
    id: row.id,
    limit: row.slotLimit,
    active: row.active,
    slotDecayPerSecond: row.slotDecayPerSecond,
    maxRetryAfterMs: row.name.startsWith(TAG_PREFIX) ? SPANS.tagSlotWaitMs : SPANS.slotWaitMs,
    version: row.updated,
  };
}
