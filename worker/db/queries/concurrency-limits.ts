import { asc, desc, eq, type SQL, sql } from "drizzle-orm";
import type { ConcurrencyLimitCreate, ConcurrencyLimitUpdate } from "#protocol/concurrency-limits";
import { newId } from "../../new-id.ts";
import { oneOf } from "../filters.ts";
import { openDb } from "../open.ts";
import { concurrencyLimits } from "../schema/concurrency-limits.ts";
import { violatesUnique } from "../unique.ts";

/** A limit as it is configured. */
export type LimitRow = typeof concurrencyLimits.$inferSelect;

/** Which limit is meant. */
export type LimitKey = { readonly id: string } | { readonly name: string };

/** Null when the name is taken. */
export async function insertLimit(env: Env, request: ConcurrencyLimitCreate): Promise<LimitRow | null> {
  const now = Date.now();
  const [row] = await openDb(env)
    .insert(concurrencyLimits)
    .values({
      id: newId(),
      name: request.name,
      slotLimit: request.limit,
      active: request.active ?? true,
      slotDecayPerSecond: request.slot_decay_per_second ?? 0,
      created: now,
      updated: now,
    })
    .onConflictDoNothing()
    .returning();
  return row ?? null;
}

export async function findLimit(env: Env, key: LimitKey): Promise<LimitRow | null> {
  const [row] = await openDb(env).select().from(concurrencyLimits).where(matches(key));
  return row ?? null;
}

/** The limits that there are of these names, in the order of their ids. */
export function limitsNamed(env: Env, names: readonly string[]): Promise<LimitRow[]> {
  return openDb(env)
    .select()
    .from(concurrencyLimits)
    .where(oneOf(concurrencyLimits.name, names))
    .orderBy(asc(concurrencyLimits.id));
}

/** The limit as it is afterwards. */
export async function changeLimit(
  env: Env,
  key: LimitKey,
  change: ConcurrencyLimitUpdate,
): Promise<LimitRow | "unknown" | "name taken"> {
  try {
    const [row] = await openDb(env)
      .update(concurrencyLimits)
      .set({
        ...(change.name != null ? { name: change.name } : {}),
        ...(change.limit != null ? { slotLimit: change.limit } : {}),
        ...(change.active != null ? { active: change.active } : {}),
        ...(change.slot_decay_per_second != null ? { slotDecayPerSecond: change.slot_decay_per_second } : {}),
        updated: sql`max(${Date.now()}, ${concurrencyLimits.updated} + 0.001)`,
      })
      .where(matches(key))
      .returning();
    return row ?? "unknown";
  } catch (error) {
    if (violatesUnique(error, "concurrency_limits.name")) return "name taken";
    throw error;
  }
}

/** The limit as it was; null when there was none. */
export async function deleteLimit(env: Env, key: LimitKey): Promise<LimitRow | null> {
  const [row] = await openDb(env).delete(concurrencyLimits).where(matches(key)).returning();
  return row ?? null;
}

/** By name. `prefix` limits them to names that begin so. */
export function listLimits(
  env: Env,
  { prefix = "", limit, offset }: { readonly prefix?: string; readonly limit: number; readonly offset: number },
): Promise<LimitRow[]> {
  return openDb(env)
    .select()
    .from(concurrencyLimits)
    .where(prefix === "" ? undefined : sql`instr(${concurrencyLimits.name}, ${prefix}) = 1`)
    .orderBy(asc(concurrencyLimits.name), desc(concurrencyLimits.id))
    .limit(limit)
    .offset(offset);
}

function matches(key: LimitKey): SQL {
  return "id" in key ? eq(concurrencyLimits.id, key.id) : eq(concurrencyLimits.name, key.name);
}
