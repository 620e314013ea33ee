/**
 * When schedules are due. Pure: no clock, no storage. What a schedule means here is what it means to Prefect's server,
 * of which the installed package is the judge (test/prefect).
 */
import type { Schedule } from "#protocol/deployments";
import { type EpochMs, fromWireTime } from "#protocol/time";
import { parseCron } from "./cron-expression.ts";
import { cronWalls } from "./cron-times.ts";
import { inOrder } from "./in-order.ts";
import { intervalTimes } from "./interval-times.ts";
import { normalizeRrule } from "./normalize-rrule.ts";
import { parseRecurrence } from "./rrule-text.ts";
import { recurrenceWalls } from "./rrule-times.ts";
import { type Zone, zoneNamed } from "./zone.ts";

/** A clock that is set back shows up to this much again. */
const SET_BACK_MS = 3 * 60 * 60 * 1000;

/**
 * The times at which a schedule is due, from `start` on, strictly ascending; endless unless the schedule ends. Throws
 * a RangeError when the schedule is not one: see {@link scheduleFault}.
 */
export function dueTimes(schedule: Schedule, start: EpochMs): Iterable<EpochMs> {
  const zone = zoneOf(schedule);
  if ("interval" in schedule) {
    const anchor = schedule.anchor_date == null ? start : fromWireTime(schedule.anchor_date);
    return intervalTimes({ everyMs: schedule.interval * 1000, anchor }, zone, start);
  }
  if ("cron" in schedule) {
    const cron = parseCron(schedule.cron, schedule.day_or ?? true);
    return inOrder(cronWalls(cron, zone.wallAt(start)), zone, start);
  }
  const rules = parseRecurrence(schedule.rrule);
  return inOrder(recurrenceWalls(rules, Math.floor(zone.wallAt(start) - SET_BACK_MS)), zone, start);
}

/** What is wrong with a schedule, in words that name the field; null when nothing is. */
export function scheduleFault(schedule: Schedule): { readonly field: string; readonly message: string } | null {
  if (schedule.timezone && zoneNamed(schedule.timezone) === null) {
    const message = `Invalid timezone: "${schedule.timezone}" (specify in IANA tzdata format, for example, America/New_York)`;
    return { field: "timezone", message };
  }
  try {
    if ("cron" in schedule) parseCron(schedule.cron, schedule.day_or ?? true);
    else if ("rrule" in schedule) parseRecurrence(normalizeRrule(schedule.rrule, "UTC", 0 as EpochMs));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const [field, name, text] =
      "cron" in schedule
        ? ["cron", "cron", schedule.cron]
        : ["rrule", "RRule", "rrule" in schedule ? schedule.rrule : ""];
    return { field, message: `Invalid ${name} string "${text}": ${error.message}` };
  }
  return null;
}

/** The zone by whose clock a schedule goes. */
export function zoneOf(schedule: Schedule): Zone {
  const zone = zoneNamed(schedule.timezone || "UTC");
  if (zone === null) throw new RangeError(`There is no time zone "${schedule.timezone}".`);
  return zone;
}
