/** How programs say when a deployment runs. */
import type { DeploymentScheduleCreate, Schedule } from "../../protocol/deployments.ts";
import type { JsonObject } from "../../protocol/flow-runs.ts";
import type { SchedulePolicyChange } from "../../protocol/schedule-policies.ts";
import { parseWireTime, toWireTime, type WireTime } from "../../protocol/time.ts";
import { type Duration, parseDuration } from "../duration.ts";
import { intervalSeconds } from "../interval.ts";

/** A moment: a Date, or text in ISO 8601. */
export type Moment = Date | string;

/** When: exactly one of `cron`, `interval`, `rrule` and `at`. */
export interface Timing {
  /** A cron expression of five or six fields, or several of them. */
  readonly cron?: string | readonly string[];
  /** Whether, where `cron` names a day of the month and a weekday, either is enough; false asks for both. Default true. */
  readonly dayOr?: boolean;
  /**
   * The span from one run to the next: text such as "15m", seconds ("90"), hh:mm:ss ("01:30:00") or ISO 8601 ("PT15M"). A
   * number is milliseconds, from 1,000 on.
   */
  readonly interval?: Duration;
  /** A recurrence rule, RFC 5545. */
  readonly rrule?: string;
  /** Once, at this moment. */
  readonly at?: Moment;
  /** The IANA name of the time zone of `cron`, `interval` and `rrule`. Default: UTC. */
  readonly timezone?: string;
  /** A moment at which an interval begins. Default: the beginning of 2020. */
  readonly anchor?: Moment;
}

/** One schedule of a deployment. */
export interface ScheduleOptions extends Timing {
  /** A name that is the schedule's own within its deployment; a schedule that keeps it is changed, not replaced. */
  readonly slug?: string;
  /** Default true. */
  readonly active?: boolean;
  /** In place of the deployment's. */
  readonly parameters?: JsonObject;
  /** What happens while earlier runs have not ended. Default "ALLOW". */
  readonly overlap?: NonNullable<SchedulePolicyChange["overlap"]>;
  /** What becomes of times that passed while nobody was there. Default: runs that had been made still run. */
  readonly catchUp?: NonNullable<SchedulePolicyChange["catch_up"]>;
  /** How far back that reaches, in whole seconds: from a minute to 52 weeks. Default "24h". */
  readonly catchUpWindow?: Duration;
  /** Starts are spread over this span: at most a day. Default 0. */
  readonly jitter?: Duration;
  /** Nothing is due before. */
  readonly startAt?: Moment;
  /** Nothing is due after. */
  readonly endAt?: Moment;
}

/** The schedules as they travel. Throws TypeError for one that cannot be. */
export function schedulesOf(all: readonly ScheduleOptions[]): DeploymentScheduleCreate[] {
  return all.flatMap((one) => {
    const timings = timingsOf(one);
    if (timings.length > 1 && one.slug !== undefined) {
      const fix = 'Put each into "schedules", with a slug of its own.';
      throw new TypeError(`The slug "${one.slug}" names one schedule, and "cron" lists ${timings.length}. ${fix}`);
    }
    return timings.map((schedule) => ({ schedule, ...restOf(one) }));
  });
}

/** Whether anything is said of when. */
export function hasTiming({ cron, interval, rrule, at }: Timing): boolean {
  return [cron, interval, rrule, at].some((way) => way !== undefined);
}

function timingsOf({ cron, dayOr, interval, rrule, at, timezone, anchor }: Timing): Schedule[] {
  const ways = Object.entries({ cron, interval, rrule, at }).filter(([, way]) => way !== undefined);
  if (ways.length !== 1) {
    const said = ways.length === 0 ? "none" : ways.map(([name]) => `"${name}"`).join(" and ");
    throw new TypeError(`A schedule says ${said} of "cron", "interval", "rrule" and "at". Give exactly one.`);
  }
  if (dayOr !== undefined && cron === undefined) {
    throw new TypeError('schedule option "dayOr" says how "cron" is read, and there is none. Leave it out.');
  }
  const zone = timezone === undefined ? {} : { timezone };
  if (cron !== undefined) {
    const all = typeof cron === "string" ? [cron] : cron;
    if (all.length === 0) throw new TypeError('schedule option "cron" is an empty list. Leave it out for no schedule.');
    return all.map((one) => ({ cron: one, ...(dayOr === undefined ? {} : { day_or: dayOr }), ...zone }));
  }
  if (rrule !== undefined) return [{ rrule, ...zone }];
  if (at !== undefined) {
    const digits = moment(at, "at").slice(0, 19).replace(/[-:]/g, "");
    return [{ rrule: `DTSTART:${digits}\nRRULE:FREQ=DAILY;COUNT=1`, timezone: "UTC" }];
  }
  const anchored = anchor ? { anchor_date: moment(anchor, "anchor") } : {};
  return [{ interval: intervalOf(interval ?? 0), ...anchored, ...zone }];
}

/** In seconds. */
function intervalOf(given: Duration): number {
  const option = 'schedule option "interval"';
  if (typeof given === "number") {
    const seconds = parseDuration(given, option) / 1_000;
    if (seconds >= 1) return seconds;
    // Who writes 90 means seconds, which numbers are not in this package.
    const meant =
      given > 0 ? `Write "${given}s" for ${given} seconds, "${given}ms" for that` : 'Write "15m", for example';
    throw new TypeError(`${option} is ${given}, and numbers are milliseconds, from 1,000 on. ${meant}.`);
  }
  try {
    return intervalSeconds(given);
  } catch {
    // It may be written with units.
  }
  let seconds: number;
  try {
    seconds = parseDuration(given, option) / 1_000;
  } catch (cause) {
    const ways = '"15m", "90" (seconds), "01:30:00" (hh:mm:ss) or "PT15M" (ISO 8601)';
    throw new TypeError(`${option} is ${JSON.stringify(given)}. Write it as ${ways}.`, { cause });
  }
  if (seconds > 0) return seconds;
  throw new TypeError(`${option} is ${JSON.stringify(given)}. Give a span above 0, such as "15m".`);
}

function restOf(one: ScheduleOptions): Omit<DeploymentScheduleCreate, "schedule"> {
  const policy: SchedulePolicyChange = {
    overlap: one.overlap,
    catch_up: one.catchUp,
    catch_up_window: secondsOf(one.catchUpWindow, "catchUpWindow"),
    jitter: secondsOf(one.jitter, "jitter"),
    start_at: one.startAt === undefined ? undefined : moment(one.startAt, "startAt"),
    end_at: one.endAt === undefined ? undefined : moment(one.endAt, "endAt"),
  };
  return {
    active: one.active ?? true,
    ...(one.parameters ? { parameters: one.parameters } : {}),
    ...(one.slug === undefined ? {} : { slug: one.slug }),
    ...(Object.values(policy).some((value) => value !== undefined) ? { policy } : {}),
  };
}

function secondsOf(span: Duration | undefined, option: string): number | undefined {
  return span === undefined ? undefined : parseDuration(span, `schedule option "${option}"`) / 1_000;
}

function moment(given: Moment, option: string): WireTime {
  const text = typeof given === "string" ? given : Number.isNaN(given.getTime()) ? "" : given.toISOString();
  const at = parseWireTime(text);
  if (at !== null) return toWireTime(at);
  throw new TypeError(
    `schedule option "${option}" is ${JSON.stringify(given)}. Give a Date, or a time in ISO 8601 such as 2026-12-24T18:00:00Z.`,
  );
}
