import { real, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** What administrators set at run time, one value under each key. */
export const serverSettings = sqliteTable("server_settings", {
  key: text().primaryKey(),
  value: text({ mode: "json" }).$type<unknown>().notNull(),
  updated: real().notNull(),
});
