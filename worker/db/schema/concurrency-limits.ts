import { integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Configuration only: who holds what is known to the limit's object. */
export const concurrencyLimits = sqliteTable("concurrency_limits", {
  id: text().primaryKey(),
  name: text().notNull().unique(),
  slotLimit: integer().notNull(),
  active: integer({ mode: "boolean" }).notNull().default(true),
  slotDecayPerSecond: real().notNull().default(0),
  created: real().notNull(),
  /** Grows with every change, also within one millisecond: the object tells older settings by it. */
  updated: real().notNull(),
});
