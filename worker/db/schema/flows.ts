import { real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Labels } from "#protocol/flow-runs";

export const flows = sqliteTable("flows", {
  id: text().primaryKey(),
  name: text().notNull().unique(),
  tags: text({ mode: "json" }).$type<string[]>().notNull().default([]),
  labels: text({ mode: "json" }).$type<Labels>().notNull().default({}),
  created: real().notNull(),
  updated: real().notNull(),
});
