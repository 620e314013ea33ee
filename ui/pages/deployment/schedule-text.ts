import type { DeploymentSchedule } from "#protocol/deployments";
import { durationText } from "../../elements/spans.ts";

/** A schedule on one line: `0 6 * * * (Europe/London)`, `every 5 m`. */
export function scheduleText({ schedule, active }: Pick<DeploymentSchedule, "schedule" | "active">): string {
  const zone = schedule.timezone && schedule.timezone !== "UTC" ? ` (${schedule.timezone})` : "";
  const text =
    "cron" in schedule
      ? schedule.cron
      : "interval" in schedule
        ? `every ${durationText(schedule.interval).replace(/ 0 [hms]$/, "")}`
        : schedule.rrule;
  return `${text}${zone}${active ? "" : ", off"}`;
}
