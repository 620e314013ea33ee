import { integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** What the pushes of http work pools are signed with. */
export const pushSecrets = sqliteTable("push_secrets", {
  workPoolId: text().primaryKey(),
  /** A JSON list of texts, encrypted. */
  secrets: text().notNull(),
  secretsKeyId: text().notNull(),
  secretsCount: integer().notNull(),
  updated: real().notNull(),
});
