import { integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** The last status of a pool, queue or deployment that an event tells of. */
export const toldStatuses = sqliteTable("told_statuses", {
  /** Of the pool, queue or deployment. */
  id: text().primaryKey(),
  status: text().notNull(),
  eventId: text().notNull(),
  since: real().notNull(),
  /** False until the hub has the event: it is then sent again, under the same id. */
  told: integer({ mode: "boolean" }).notNull().default(false),
});
