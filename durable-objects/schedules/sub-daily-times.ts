/**
 * What the clock shows when a rule by the hour, minute or second is due. Which days it has is asked of the library; within
 * a day it is arithmetic, since the library steps through every period to the year 9999 for a rule that never matches,
 * and through the same few for ever where the interval passes by every hour that is wanted.
 */
import type { WallMs } from "./zone.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const PERIODS = { HOURLY: 3_600_000, MINUTELY: 60_000, SECONDLY: 1000 } as const;
/** A rule that has no time for so many periods, or so long, is taken to have ended. */
const MAX_PERIODS_WITHOUT_TIME = 4_000_000;
const MAX_MS_WITHOUT_TIME = 50 * 366 * DAY_MS;

export type SubDailyFrequency = keyof typeof PERIODS;

/** Empty lists leave everything open, except that times below the frequency are then those of the beginning. */
export interface SubDailyRule {
  readonly frequency: SubDailyFrequency;
  readonly interval: number;
  readonly count: number | null;
  readonly until: WallMs | null;
  readonly hours: readonly number[];
  readonly minutes: readonly number[];
  readonly seconds: readonly number[];
  /** Which of the times of one period are meant, from 1 on or, from the end, from -1 on. */
  readonly positions: readonly number[];
  /** Whether all days are meant. */
  readonly isEveryDay: boolean;
}

export function isSubDaily(frequency: string): frequency is SubDailyFrequency {
  return Object.hasOwn(PERIODS, frequency);
}

/** Ascending, from `from` on. `days` are the midnights from a given one on that the rule allows, ascending. */
export function* subDailyWalls(
  rule: SubDailyRule,
  { start, from, days }: { start: WallMs; from: WallMs; days: (from: WallMs) => Iterable<WallMs> },
): Generator<WallMs, undefined> {
  const unit = PERIODS[rule.frequency];
  const stepMs = unit * rule.interval;
  const first = Math.floor(start / unit) * unit;
  const offsets = offsetsIn(rule, start);
  const isPlain = rule.isEveryDay && rule.hours.length + rule.minutes.length + rule.seconds.length === 0;
  // Of a plain rule, those that went by are counted without walking through them.
  const skipped = isPlain && offsets.length === 1 ? Math.max(0, Math.floor((from - first) / stepMs)) : 0;
  const entry = rule.count === null ? Math.max(first, from - unit) : first + skipped * stepMs;
  let left = rule.count === null ? Number.POSITIVE_INFINITY : rule.count - skipped;
  let idle = 0;
  let lastDay = Math.floor(entry / DAY_MS) * DAY_MS;
  for (const day of days(lastDay)) {
    if (day - lastDay > MAX_MS_WITHOUT_TIME) return undefined;
    const ahead = Math.max(day, entry) - first;
    for (let at = first + Math.ceil(Math.max(0, ahead) / stepMs) * stepMs; at < day + DAY_MS; at += stepMs) {
      if (++idle > MAX_PERIODS_WITHOUT_TIME) return undefined;
      if (!isMeant(rule, at - day)) continue;
      for (const offset of offsets) {
        const wall = at + offset;
        if (wall < start) continue;
        if (left-- <= 0 || (rule.until !== null && wall > rule.until)) return undefined;
        idle = 0;
        lastDay = day;
        if (wall >= from) yield wall;
      }
    }
    if (left <= 0 || (rule.until !== null && day > rule.until)) return undefined;
  }
  return undefined;
}

/** The times within a period, from its beginning. */
function offsetsIn({ frequency, minutes, seconds, positions }: SubDailyRule, start: WallMs): number[] {
  const own = new Date(start);
  const ofMinute = frequency === "SECONDLY" ? [0] : seconds.length > 0 ? seconds : [own.getUTCSeconds()];
  const ofHour = frequency !== "HOURLY" ? [0] : minutes.length > 0 ? minutes : [own.getUTCMinutes()];
  const all = ofHour.flatMap((minute) => ofMinute.map((second) => minute * 60_000 + second * 1000));
  const sorted = [...new Set(all)].sort((a, b) => a - b);
  if (positions.length === 0) return sorted;
  const chosen = new Set(positions.map((position) => sorted.at(position > 0 ? position - 1 : position)));
  return sorted.filter((offset) => chosen.has(offset));
}

/** `ofDay`: since midnight. */
function isMeant({ frequency, hours, minutes, seconds }: SubDailyRule, ofDay: number): boolean {
  if (hours.length > 0 && !hours.includes(Math.floor(ofDay / 3_600_000))) return false;
  if (frequency === "HOURLY") return true;
  if (minutes.length > 0 && !minutes.includes(Math.floor(ofDay / 60_000) % 60)) return false;
  return frequency === "MINUTELY" || seconds.length === 0 || seconds.includes(Math.floor(ofDay / 1000) % 60);
}
