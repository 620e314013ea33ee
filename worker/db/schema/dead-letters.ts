import { integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Queue messages that no consumer could handle, kept to be looked at. */
export const deadLetters = sqliteTable("dead_letters", {
  id: text().primaryKey(),
  queue: text().notNull(),
  body: text({ mode: "json" }).$type<unknown>().notNull(),
  attempts: integer().notNull(),
  created: real().notNull(),
});
