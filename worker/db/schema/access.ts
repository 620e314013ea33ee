import { sql } from "drizzle-orm";
import { real, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { KeyRole } from "#protocol/access";

/** API keys. Only the hash of a key is here; durable-objects/storage/api-keys.ts looks keys up by it. */
export const apiKeys = sqliteTable(
  "api_keys",
  {
    id: text().primaryKey(),
    /** SHA-256 of the key, in hex. */
    hash: text().notNull().unique(),
    name: text().notNull(),
    role: text().$type<KeyRole>().notNull(),
    expires: real(),
    /** Written at most once an hour. */
    lastUsed: real(),
    revoked: real(),
    created: real().notNull(),
    updated: real().notNull(),
  },
  (table) => [uniqueIndex("api_keys_name").on(table.name).where(sql`revoked IS NULL`)],
);
