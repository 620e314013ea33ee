import { real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { SavedSearchFilter } from "#protocol/saved-searches";

export const savedSearches = sqliteTable("saved_searches", {
  id: text().primaryKey(),
  name: text().notNull().unique(),
  filters: text({ mode: "json" }).$type<SavedSearchFilter[]>().notNull().default([]),
  created: real().notNull(),
  updated: real().notNull(),
});
