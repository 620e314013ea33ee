import { and, desc, eq, isNull } from "drizzle-orm";
import type { ApiKey, ApiKeyCreate } from "#protocol/access";
import { type EpochMs, fromWireTime, toWireTime } from "#protocol/time";
import { newId } from "../../new-id.ts";
import { openDb } from "../open.ts";
import { apiKeys } from "../schema/access.ts";

/** Null when a key that is not revoked has the name. */
export async function insertKey(env: Env, request: ApiKeyCreate, hash: string): Promise<ApiKey | null> {
  const now = Date.now();
  const [row] = await openDb(env)
    .insert(apiKeys)
    .values({
      id: newId(),
      hash,
      name: request.name,
      role: request.role,
      expires: request.expires == null ? null : fromWireTime(request.expires),
      created: now,
      updated: now,
    })
    .onConflictDoNothing()
    .returning();
  return row ? toKey(row) : null;
}

export async function keyById(env: Env, id: string): Promise<ApiKey | null> {
  const [row] = await openDb(env).select().from(apiKeys).where(eq(apiKeys.id, id));
  return row ? toKey(row) : null;
}

export async function listKeys(
  env: Env,
  filter: { readonly name: string | null; readonly includeRevoked: boolean },
  page: { readonly limit: number; readonly offset: number },
): Promise<ApiKey[]> {
  const rows = await openDb(env)
    .select()
    .from(apiKeys)
    .where(
      and(
        filter.name === null ? undefined : eq(apiKeys.name, filter.name),
        filter.includeRevoked ? undefined : isNull(apiKeys.revoked),
      ),
    )
    .orderBy(desc(apiKeys.id))
    .limit(page.limit)
    .offset(page.offset);
  return rows.map(toKey);
}

/** The key as it then is; one that was revoked before keeps its time. Null when there is none. */
export async function revokeKey(env: Env, id: string): Promise<ApiKey | null> {
  const now = Date.now();
  const [row] = await openDb(env)
    .update(apiKeys)
    .set({ revoked: now, updated: now })
    .where(and(eq(apiKeys.id, id), isNull(apiKeys.revoked)))
    .returning();
  return row ? toKey(row) : keyById(env, id);
}

export async function deleteKey(env: Env, id: string): Promise<boolean> {
  const [row] = await openDb(env).delete(apiKeys).where(eq(apiKeys.id, id)).returning({ id: apiKeys.id });
  return row !== undefined;
}

function toKey(row: typeof apiKeys.$inferSelect): ApiKey {
  const wire = (at: number | null) => (at === null ? null : toWireTime(at as EpochMs));
  return {
    id: row.id,
    created: toWireTime(row.created as EpochMs),
    updated: toWireTime(row.updated as EpochMs),
    name: row.name,
    role: row.role,
    expires: wire(row.expires),
    last_used: wire(row.lastUsed),
    revoked: wire(row.revoked),
  };
}
