/** How far schedules have been followed, and how they depart from Prefect's. */
import { real, sqliteTable, text } from "drizzle-orm/sqlite-core";
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
