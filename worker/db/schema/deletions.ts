import { real, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Flows and deployments that were deleted and may have left runs to be removed with them. */
export const deletions = sqliteTable("deletions", {
  /** Of the flow or deployment. */
  id: text().primaryKey(),
  kind: text().$type<"flow" | "deployment">().notNull(),
  created: real().notNull(),
});
