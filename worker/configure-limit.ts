/** Makes, changes and removes limits: the row, and the object that goes by it. */
import type { ConcurrencyLimitCreate, ConcurrencyLimitUpdate } from "#protocol/concurrency-limits";
import { limitOwner } from "../durable-objects/limit-owner.ts";
import {
  changeLimit,
  deleteLimit,
  insertLimit,
  type LimitKey,
  type LimitRow,
} from "./db/queries/concurrency-limits.ts";
import { limitSettings } from "./limit-settings.ts";

const ATTEMPTS = 3;

/** Null when the name is taken. */
export async function createLimit(env: Env, request: ConcurrencyLimitCreate): Promise<LimitRow | null> {
  for (let attempt = 1; ; attempt++) {
    const row = await insertLimit(env, request);
    if (!row || (await tell(env, row, request.active_slots ?? null))) return row;
    // Another limit's id ends with the same twelve random digits, by which objects are named.
    await deleteLimit(env, { id: row.id });
    if (attempt === ATTEMPTS) throw new Error("No free id for a concurrency limit was found.");
  }
}

export async function configureLimit(
  env: Env,
  key: LimitKey,
  change: ConcurrencyLimitUpdate,
): Promise<LimitRow | "unknown" | "name taken"> {
  const row = await changeLimit(env, key, change);
  if (typeof row !== "string") await tell(env, row, change.active_slots ?? null);
  return row;
}

/** False when there is no such limit. */
export async function removeLimit(env: Env, key: LimitKey): Promise<boolean> {
  const row = await deleteLimit(env, key);
  if (row) await limitOwner(env.CONCURRENCY_LIMITS, row.id).remove();
  return row !== null;
}

function tell(env: Env, row: LimitRow, takenSlots: number | null): Promise<boolean> {
  return limitOwner(env.CONCURRENCY_LIMITS, row.id).configure(limitSettings(row), takenSlots);
}
