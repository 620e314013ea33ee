/** Schedules in words, and as a table. */
import type { DeploymentSchedule, Schedule } from "../protocol/deployments.ts";
import type { Column } from "./output.ts";

export const SCHEDULE_COLUMNS: readonly Column<DeploymentSchedule>[] = [
  { title: "SCHEDULE", value: ({ schedule }) => scheduleInWords(schedule) },
  { title: "TIME ZONE", value: ({ schedule }) => schedule.timezone },
  { title: "ACTIVE", value: ({ active }) => (active ? "yes" : "no") },
  { title: "SLUG", value: ({ slug }) => slug },
  { title: "ID", value: ({ id }) => id },
];

function scheduleInWords(schedule: Schedule): string {
  if ("cron" in schedule) return `cron ${schedule.cron}`;
  return "interval" in schedule ? `every ${schedule.interval} s` : schedule.rrule.replace(/\s+/g, " ");
}
