/** How programs say when a deployment runs. */
import type { DeploymentScheduleCreate, Schedule } from "../../protocol/deployments.ts";
import type { JsonObject } from "../../protocol/flow-runs.ts";
import type { SchedulePolicyChange } from "../../protocol/schedule-policies.ts";
import { parseWireTime, toWireTime, type WireTime } from "../../protocol/time.ts";
import { type Duration, parseDuration } from "../duration.ts";

/** A moment: a Date, or text in ISO 8601. */
export type Moment = Date | string;

/** When: exactly one of `cron`, `interval`, `rrule` and `at`. */
export interface Timing {
  /** A cron expression of five or six fields, or several of them. */
  readonly cron?: string | readonly string[];
  /** The span from one run to the next: milliseconds, or text such as "15m". */
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
  /** How far back that reaches. Default "24h". */
  readonly catchUpWindow?: Duration;
  /** Starts are spread over this span. Default 0. */
  readonly jitter?: Duration;
  /** Nothing is due before. */
  readonly startAt?: Moment;
  /** Nothing is due after. */
  readonly endAt?: Moment;
}

/** The schedules as they travel. Throws TypeError for one that cannot be. */
export function schedulesOf(all: readonly ScheduleOptions[]): DeploymentScheduleCreate[] {
  return all.flatMap((one) => timingsOf(one).map((schedule) => ({ schedule, ...restOf(one) })));
}

/** Whether anything is said of when. */
export function hasTiming({ cron, interval, rrule, at }: Timing): boolean {
  return [cron, interval, rrule, at].some((way) => way !== undefined);
}

function timingsOf({ cron, interval, rrule, at, timezone, anchor }: Timing): Schedule[] {
  const ways = Object.entries({ cron, interval, rrule, at }).filter(([, way]) => way !== undefined);
  if (ways.length !== 1) {
    const said = ways.length === 0 ? "none" : ways.map(([name]) => `"${name}"`).join(" and ");
    throw new TypeError(`A schedule says ${said} of "cron", "interval", "rrule" and "at". Give exactly one.`);
  }
  const zone = timezone === undefined ? {} : { timezone };
  if (cron !== undefined) return (typeof cron === "string" ? [cron] : cron).map((one) => ({ cron: one, ...zone }));
  if (rrule !== undefined) return [{ rrule, ...zone }];
  if (at !== undefined) {
    const digits = moment(at, "at").slice(0, 19).replace(/[-:]/g, "");
    return [{ rrule: `DTSTART:${digits}\nRRULE:FREQ=DAILY;COUNT=1`, timezone: "UTC" }];
  }
  const seconds = parseDuration(interval ?? 0, 'schedule option "interval"') / 1_000;
  if (seconds <= 0) throw new TypeError('schedule option "interval" is 0. Give a span above 0, such as "15m".');
  return [{ interval: seconds, ...(anchor ? { anchor_date: moment(anchor, "anchor") } : {}), ...zone }];
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
