/** How commands say when a schedule is due, and what it does beyond Prefect's. */
import { intervalSeconds } from "../flow/interval.ts";
import type { Schedule } from "../protocol/deployments.ts";
import { CatchUpMode, OverlapPolicy, type SchedulePolicyChange } from "../protocol/schedule-policies.ts";
import { parseWireTime, toWireTime, type WireTime } from "../protocol/time.ts";
import { CliError } from "./errors.ts";
import { EXIT } from "./exit-codes.ts";
import { choice, flag, integer, kebab, type Parameter, parsed, text, type Values } from "./parameters.ts";

const DAY_SECONDS = 24 * 60 * 60;

export const TIMING = {
  cron: text("A cron expression.", { placeholder: "expression" }),
  dayAnd: flag("With --cron: where it names a day of the month and a weekday, both must be met, not either."),
  interval: parsed("Every so often: seconds, hh:mm:ss or ISO 8601.", readInterval, { placeholder: "interval" }),
  anchor: time("With --interval: a time at which it begins."),
  rrule: text("A recurrence rule (RFC 5545).", { placeholder: "rule" }),
  at: time("Once, at this time."),
  timezone: text("IANA name of the time zone; UTC unless given.", { placeholder: "zone" }),
};

export const POLICY = {
  overlap: choice("While earlier runs have not ended.", OverlapPolicy.options),
  catchUp: choice("What of times that passed while nobody was there.", CatchUpMode.options),
  catchUpWindow: integer("Seconds back to which that reaches.", { min: 60, max: 52 * 7 * DAY_SECONDS }),
  jitter: integer("Seconds over which starts are spread.", { max: DAY_SECONDS }),
  startAt: time("Nothing is due before."),
  endAt: time("Nothing is due after."),
};

/** A time in ISO 8601. */
export function time(description: string): Parameter<WireTime | undefined> {
  const read = (given: string): WireTime => {
    const at = parseWireTime(given);
    if (at === null) throw new Error("not a time in ISO 8601, for example 2026-11-21T09:00:00Z");
    return toWireTime(at);
  };
  return parsed(description, read, { placeholder: "time" });
}

/** Fails unless exactly one way of saying when is used. */
export function timingOf(options: Values<typeof TIMING>): Schedule {
  const { cron, dayAnd, interval, anchor, rrule, at, timezone } = options;
  const zone = timezone === undefined ? {} : { timezone };
  const ways: Schedule[] = [];
  if (cron !== undefined) ways.push({ cron, ...(dayAnd ? { day_or: false } : {}), ...zone });
  if (interval !== undefined) ways.push({ interval, ...(anchor ? { anchor_date: anchor } : {}), ...zone });
  if (rrule !== undefined) ways.push({ rrule, ...zone });
  if (at !== undefined) ways.push({ rrule: once(at), timezone: "UTC" });
  const [way] = ways;
  if (anchor !== undefined && interval === undefined) throw meansNothing("anchor", "--interval");
  if (dayAnd && cron === undefined) throw meansNothing("day-and", "--cron");
  if (way !== undefined && ways.length === 1) return way;
  throw new CliError(way === undefined ? "When the schedule is due is not said." : "When it is due is said twice.", {
    fix: "Give one of --cron, --interval, --rrule and --at.",
    code: "usage",
    exitCode: EXIT.usage,
  });
}

/** Null when nothing is said of when; fails for options that then mean nothing. */
export function timingIfSaid(options: Values<typeof TIMING & typeof POLICY>): Schedule | null {
  const { cron, dayAnd, interval, rrule, at } = options;
  if ([cron, interval, rrule, at].some((way) => way !== undefined)) return timingOf(options);
  const names = ["anchor", "timezone", ...(Object.keys(POLICY) as (keyof typeof POLICY)[])] as const;
  const idle = names.find((name) => options[name] !== undefined);
  if (dayAnd) throw meansNothing("day-and", "--cron");
  if (idle !== undefined) throw meansNothing(kebab(idle), "--cron, --interval, --rrule or --at");
  return null;
}

function meansNothing(option: string, without: string): CliError {
  return new CliError(`--${option} says something about a schedule that is not there.`, {
    fix: `Give it together with ${without}.`,
  });
}

/** Null when nothing is said of it. */
export function policyChangeOf(options: Values<typeof POLICY>): SchedulePolicyChange | null {
  const change: SchedulePolicyChange = {
    overlap: options.overlap,
    catch_up: options.catchUp,
    catch_up_window: options.catchUpWindow,
    jitter: options.jitter,
    start_at: options.startAt,
    end_at: options.endAt,
  };
  return Object.values(change).some((value) => value !== undefined) ? change : null;
}

function readInterval(given: string): number {
  try {
    return intervalSeconds(given);
  } catch (error) {
    throw new Error("not an interval: write 90, 01:30:00 or PT15M", { cause: error });
  }
}

/** A rule that is due once. */
function once(at: WireTime): string {
  const digits = at.slice(0, 19).replace(/[-:]/g, "");
  return `DTSTART:${digits}\nRRULE:FREQ=DAILY;COUNT=1`;
}
