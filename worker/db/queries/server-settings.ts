import { eq, sql } from "drizzle-orm";
import { openDb } from "../open.ts";
import { blockDocuments } from "../schema/blocks.ts";
import { serverSettings } from "../schema/server-settings.ts";

const DEFAULT_STORAGE = "default_result_storage_block_id";

/** The id of the block document; null when none is set, or when the one that was set is deleted. */
export async function defaultStorage(env: Env): Promise<string | null> {
  const [row] = await openDb(env)
    .select({ id: blockDocuments.id })
    .from(serverSettings)
    .innerJoin(blockDocuments, sql`${blockDocuments.id} = ${serverSettings.value} ->> '$'`)
    .where(eq(serverSettings.key, DEFAULT_STORAGE));
  return row?.id ?? null;
}

/** Null forgets it. */
export async function setDefaultStorage(env: Env, blockDocumentId: string | null): Promise<void> {
  const db = openDb(env);
  if (blockDocumentId === null) {
    await db.delete(serverSettings).where(eq(serverSettings.key, DEFAULT_STORAGE));
    return;
  }
  const row = { value: blockDocumentId, updated: Date.now() };
  await db
    .insert(serverSettings)
    .values({ key: DEFAULT_STORAGE, ...row })
    .onConflictDoUpdate({ target: serverSettings.key, set: row });
}
