import { eq } from "drizzle-orm";
import { openDb } from "../open.ts";
import { serverSettings } from "../schema/server-settings.ts";

const DEFAULT_STORAGE = "default_result_storage_block_id";

/** The id of the block document; null when none is set. */
export async function defaultStorage(env: Env): Promise<string | null> {
  const [row] = await openDb(env)
    .select({ value: serverSettings.value })
    .from(serverSettings)
    .where(eq(serverSettings.key, DEFAULT_STORAGE));
  return typeof row?.value === "string" ? row.value : null;
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
