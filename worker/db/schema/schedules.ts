/** How far schedules have been followed, and how they depart from Prefect's. */
import { integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { BackfillDetails, BackfillStatus } from "#protocol/backfills";
import type { SchedulePolicy } from "#protocol/schedule-policies";

/** Changed with the runs that it tells of, in one transaction. A schedule without a row is looked at by the next tick. */
export const scheduleProgress = sqliteTable("schedule_progress", {
  scheduleId: text().primaryKey(),
  deploymentId: text().notNull(),
  /** Nothing is to be done before. */
  nextCheckAt: real().notNull(),
  /** Runs exist for every due time up to here. */
  lastDueAt: real().notNull(),
});

/** Only of schedules that have one. */
export const schedulePolicies = sqliteTable("schedule_policies", {
  scheduleId: text().primaryKey(),
  deploymentId: text().notNull(),
  policy: text({ mode: "json" }).$type<SchedulePolicy>().notNull(),
});

/** Ranges of time that are run afterwards; their runs name them in a label. */
export const backfills = sqliteTable("backfills", {
  id: text().primaryKey(),
  deploymentId: text().notNull(),
  scheduleId: text().notNull(),
  status: text().$type<BackfillStatus>().notNull(),
  /** The due time of the run that was made last. */
  madeUntil: real(),
  made: integer().notNull().default(0),
  doc: text({ mode: "json" }).$type<BackfillDetails>().notNull(),
  created: real().notNull(),
  updated: real().notNull(),
});
