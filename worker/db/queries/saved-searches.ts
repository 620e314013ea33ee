import { asc, eq } from "drizzle-orm";
import type { SavedSearch, SavedSearchCreate } from "#protocol/saved-searches";
import { type EpochMs, toWireTime } from "#protocol/time";
import { newId } from "../../new-id.ts";
import { openDb } from "../open.ts";
import { savedSearches } from "../schema/saved-searches.ts";

/** `created` is false when the name was there and its filters were replaced. */
export async function putSavedSearch(
  env: Env,
  request: SavedSearchCreate,
): Promise<{ search: SavedSearch; created: boolean }> {
  const now = Date.now();
  const id = newId();
  const filters = request.filters ?? [];
  const [row] = await openDb(env)
    .insert(savedSearches)
    .values({ id, name: request.name, filters, created: now, updated: now })
    .onConflictDoUpdate({ target: savedSearches.name, set: { filters, updated: now } })
    .returning();
  if (!row) throw new Error("D1 answered no row to an upsert.");
  return { search: toSearch(row), created: row.id === id };
}

export async function savedSearchById(env: Env, id: string): Promise<SavedSearch | null> {
  const [row] = await openDb(env).select().from(savedSearches).where(eq(savedSearches.id, id));
  return row ? toSearch(row) : null;
}

export async function listSavedSearches(
  env: Env,
  page: { readonly limit: number; readonly offset: number },
): Promise<SavedSearch[]> {
  const rows = await openDb(env)
    .select()
    .from(savedSearches)
    .orderBy(asc(savedSearches.name))
    .limit(page.limit)
    .offset(page.offset);
  return rows.map(toSearch);
}

export async function deleteSavedSearch(env: Env, id: string): Promise<boolean> {
  const [row] = await openDb(env)
    .delete(savedSearches)
    .where(eq(savedSearches.id, id))
    .returning({ id: savedSearches.id });
  return row !== undefined;
}

function toSearch(row: typeof savedSearches.$inferSelect): SavedSearch {
  return {
    id: row.id,
    created: toWireTime(row.created as EpochMs),
    updated: toWireTime(row.updated as EpochMs),
    name: row.name,
    filters: row.filters.map((filter) => ({ ...filter, value: filter.value ?? null })),
  };
}
