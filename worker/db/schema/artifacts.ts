import { sql } from "drizzle-orm";
import { index, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { JsonObject } from "#protocol/flow-runs";

export const artifacts = sqliteTable(
  "artifacts",
  {
    id: text().primaryKey(),
    key: text(),
    type: text(),
    description: text(),
    data: text({ mode: "json" }).$type<unknown>(),
    metadata: text({ mode: "json" }).$type<JsonObject>(),
    flowRunId: text(),
    taskRunId: text(),
    created: real().notNull(),
    updated: real().notNull(),
  },
  (table) => [
    index("artifacts_key").on(table.key, table.id).where(sql`key IS NOT NULL`),
    index("artifacts_flow_run").on(table.flowRunId).where(sql`flow_run_id IS NOT NULL`),
  ],
);
