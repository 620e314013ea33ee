/** What the clock shows when a recurrence rule is due. The rules are those of dateutil, of which `rrule` is a port. */
import type { Options, RRule as Rule } from "rrule";
import { RRule } from "./rrule-library.ts";
import type { RecurrenceText, RuleText } from "./rrule-text.ts";
import { isSubDaily, type SubDailyFrequency, subDailyWalls } from "./sub-daily-times.ts";
import type { WallMs } from "./zone.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Where a rule without DTSTART begins, as upstream. */
export const DEFAULT_START: WallMs = Date.UTC(2020, 0, 1);
const UNITS = new Map([
  ["WEEKLY", 7 * DAY_MS],
  ["DAILY", DAY_MS],
]);
/** What says on which days a rule is due. */
const OF_DAYS = /^BY(?:DAY|MONTH|MONTHDAY|YEARDAY|WEEKNO|EASTER)=/;
/** Read at first, and at most, at a time. */
const CHUNK = 8;
const MAX_CHUNK = 512;
/** A set whose rules take away this many times in a row is taken to have ended. */
const MAX_EXCLUDED = 100_000;
/** Fifty years of days, as for cron expressions: a rule that has no time for so long is taken to have ended. */
const MAX_STEPS_WITHOUT_TIME = 50 * 366;
const END = new Date(Date.UTC(9999, 0, 1));

/** Every wall time from `start` on, ascending; ends when the rules do. */
export function* recurrenceWalls(text: RecurrenceText, start: WallMs): Generator<WallMs, void> {
  const excluded = merged(text, text.exRules, text.exDates, start);
  let next = excluded.next();
  let taken = 0;
  let last: WallMs | null = null;
  for (const wall of merged(text, text.rules, text.dates, start)) {
    if (wall === last) continue;
    last = wall;
    while (!next.done && next.value < wall) next = excluded.next();
    if (next.done || next.value !== wall) {
      taken = 0;
      yield wall;
    } else if (++taken >= MAX_EXCLUDED) return;
  }
}

/** The times of all rules and dates, ascending; one that several have is repeated. */
function* merged(
  text: RecurrenceText,
  rules: readonly RuleText[],
  dates: readonly WallMs[],
  start: WallMs,
): Generator<WallMs, void> {
  const listed = [...dates].filter((date) => date >= start).sort((a, b) => a - b);
  const sources = [listed.values(), ...rules.map((rule) => ruleWalls(rule, text.start, start))];
  const heads = sources.map((source) => ({ source, next: source.next() }));
  for (;;) {
    let first: (typeof heads)[number] | null = null;
    for (const head of heads) {
      if (!head.next.done && (first === null || head.next.value < (first.next.value ?? 0))) first = head;
    }
    if (first === null || first.next.done) return;
    yield first.next.value;
    first.next = first.source.next();
  }
}

function ruleWalls(text: RuleText, dtstart: WallMs | null, start: WallMs): Generator<WallMs, undefined> {
  const { frequency } = text;
  return isSubDaily(frequency)
    ? withinDays(text, frequency, dtstart ?? DEFAULT_START, start)
    : walked(text, dtstart, start);
}

function withinDays(
  text: RuleText,
  frequency: SubDailyFrequency,
  start: WallMs,
  from: WallMs,
): Generator<WallMs, undefined> {
  const parts = text.options.split(";");
  const ofDays = parts.filter((part) => OF_DAYS.test(part));
  const numbers = (name: string): number[] => {
    const part = parts.findLast((one) => one.startsWith(`${name}=`));
    return part === undefined
      ? []
      : part
          .slice(name.length + 1)
          .split(",")
          .map(Number);
  };
  const daily: RuleText = {
    options: ["FREQ=DAILY", "BYHOUR=0", "BYMINUTE=0", "BYSECOND=0", ...ofDays].join(";"),
    frequency: "DAILY",
    interval: 1,
    hasCount: false,
    until: null,
  };
  const rule = {
    frequency,
    interval: text.interval,
    count: text.hasCount ? (numbers("COUNT")[0] ?? null) : null,
    until: text.until,
    hours: numbers("BYHOUR"),
    minutes: numbers("BYMINUTE"),
    seconds: numbers("BYSECOND"),
    positions: numbers("BYSETPOS"),
    isEveryDay: ofDays.length === 0,
  };
  const firstDay = Math.floor(start / DAY_MS) * DAY_MS;
  return subDailyWalls(rule, {
    start,
    from,
    days: (day) => (rule.isEveryDay ? everyDay(day) : walked(daily, firstDay, day)),
  });
}

function* everyDay(from: WallMs): Generator<WallMs, undefined> {
  for (let day = from; day < END.getTime(); day += DAY_MS) yield day;
  return undefined;
}

function* walked(text: RuleText, dtstart: WallMs | null, start: WallMs): Generator<WallMs, undefined> {
  let from = start;
  for (let size = CHUNK; ; size = Math.min(2 * size, MAX_CHUNK)) {
    const chunk: WallMs[] = [];
    const rule = toRule(text, dtstart, from);
    const steps = boundSteps(
      rule,
      MAX_STEPS_WITHOUT_TIME + Math.max(0, (from - rule.options.dtstart.getTime()) / DAY_MS),
    );
    try {
      rule.between(new Date(from), END, true, (date) => {
        steps.startAnew();
        return chunk.push(date.getTime()) < size;
      });
    } catch (error) {
      if (!(error instanceof TooManySteps)) throw error;
    }
    yield* chunk;
    const last = chunk.at(-1);
    if (last === undefined || chunk.length < size) return undefined;
    from = last + 1;
  }
}

class TooManySteps extends Error {}

/**
 * Has the library give up after so many steps without a time: by itself it walks to the year 9999, which takes half a
 * minute of days. It reads the frequency once for each step, and there is no other place at which it could be stopped.
 */
function boundSteps({ options }: Rule, most: number): { startAnew(): void } {
  const { freq } = options;
  let steps = 0;
  Object.defineProperty(options, "freq", {
    get() {
      if (++steps > most) throw new TooManySteps();
      return freq;
    },
  });
  return {
    startAnew() {
      steps = 0;
    },
  };
}

function toRule(rule: RuleText, start: WallMs | null, from: WallMs): Rule {
  const options: Partial<Options> = {
    ...RRule.parseString(rule.options),
    dtstart: new Date(entry(rule, start ?? DEFAULT_START, from)),
  };
  if (rule.until !== null) options.until = new Date(rule.until);
  return new RRule(options, true);
}

/**
 * A later beginning from which the rule has the same times, so that years need not be walked through: whole periods
 * later, which leaves everything as it is unless occurrences are counted or periods differ in length.
 */
export function entry({ frequency, interval, hasCount }: RuleText, start: WallMs, from: WallMs): WallMs {
  const unit = UNITS.get(frequency);
  if (unit === undefined || hasCount) return start;
  const periodMs = unit * interval;
  // A week's days belong together, wherever in the week the rule is entered.
  const leadMs = frequency === "WEEKLY" ? unit + DAY_MS : unit;
  return start + Math.max(0, Math.floor((from - leadMs - start) / periodMs)) * periodMs;
}
