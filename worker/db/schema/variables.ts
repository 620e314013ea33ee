import { real, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const variables = sqliteTable("variables", {
  id: text().primaryKey(),
  name: text().notNull().unique(),
  value: text({ mode: "json" }).$type<unknown>(),
  tags: text({ mode: "json" }).$type<string[]>().notNull().default([]),
  created: real().notNull(),
  updated: real().notNull(),
});
