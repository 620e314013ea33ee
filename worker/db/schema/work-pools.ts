import { integer, real, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { JsonObject } from "#protocol/flow-runs";

export const workPools = sqliteTable("work_pools", {
  id: text().primaryKey(),
  name: text().notNull().unique(),
  type: text().notNull(),
  description: text(),
  isPaused: integer({ mode: "boolean" }).notNull().default(false),
  concurrencyLimit: integer(),
  defaultQueueId: text().notNull(),
  baseJobTemplate: text({ mode: "json" }).$type<JsonObject>().notNull().default({}),
  storageConfiguration: text({ mode: "json" }).$type<JsonObject>().notNull().default({}),
  created: real().notNull(),
  updated: real().notNull(),
});

export const workQueues = sqliteTable(
  "work_queues",
  {
    id: text().primaryKey(),
    workPoolId: text().notNull(),
    name: text().notNull(),
    description: text().notNull().default(""),
    priority: integer().notNull().default(1),
    /** When a worker without a channel asked for runs last, about to the half minute. */
    lastPolled: real(),
    isPaused: integer({ mode: "boolean" }).notNull().default(false),
    concurrencyLimit: integer(),
    created: real().notNull(),
    updated: real().notNull(),
  },
  (table) => [uniqueIndex("work_queues_name").on(table.workPoolId, table.name)],
);

/** Copies of the workers that a pool's object knows, and of those that only send heartbeats over REST. */
export const workers = sqliteTable(
  "workers",
  {
    id: text().primaryKey(),
    workPoolId: text().notNull(),
    name: text().notNull(),
    type: text(),
    status: text().$type<"ONLINE" | "OFFLINE">().notNull(),
    lastHeartbeatTime: real(),
    heartbeatIntervalSeconds: integer(),
    created: real().notNull(),
    updated: real().notNull(),
  },
  (table) => [uniqueIndex("workers_name").on(table.workPoolId, table.name)],
);
