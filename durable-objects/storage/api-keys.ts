/** How callers look up API keys in D1; the Worker makes and revokes them. */
import type { KeyRole } from "#protocol/access";

export interface StoredKey {
  readonly id: string;
  readonly name: string;
  readonly role: KeyRole;
  /** Epoch milliseconds, as the others; null means never. */
  readonly expires: number | null;
  readonly last_used: number | null;
  readonly revoked: number | null;
}

export function findKey(db: D1Database, hash: string): Promise<StoredKey | null> {
  return db
    .prepare("SELECT id, name, role, expires, last_used, revoked FROM api_keys WHERE hash = ?")
    .bind(hash)
    .first<StoredKey>();
}

/** Notes a use, unless one after `since` is noted already. */
export async function markUsed(db: D1Database, id: string, now: number, since: number): Promise<void> {
  await db
    .prepare("UPDATE api_keys SET last_used = ?2 WHERE id = ?1 AND (last_used IS NULL OR last_used < ?3)")
    .bind(id, now, since)
    .run();
}
