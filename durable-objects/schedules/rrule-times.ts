/** What the clock shows when a recurrence rule is due. The rules are those of dateutil, of which `rrule` is a port. */
import type { Options, RRule as Rule } from "rrule";
import { RRule } from "./rrule-library.ts";
import type { RecurrenceText, RuleText } from "./rrule-text.ts";
import type { WallMs } from "./zone.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Where a rule without DTSTART begins, as upstream. */
export const DEFAULT_START: WallMs = Date.UTC(2020, 0, 1);
const UNITS = new Map([
  ["WEEKLY", 7 * DAY_MS],
  ["DAILY", DAY_MS],
  ["HOURLY", 3_600_000],
  ["MINUTELY", 60_000],
  ["SECONDLY", 1000],
]);
/** Read at first, and at most, at a time. */
const CHUNK = 8;
const MAX_CHUNK = 512;
/** A set whose rules take away this many times in a row is taken to have ended. */
const MAX_EXCLUDED = 100_000;
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

function* ruleWalls(text: RuleText, dtstart: WallMs | null, start: WallMs): Generator<WallMs, undefined> {
  let from = start;
  for (let size = CHUNK; ; size = Math.min(2 * size, MAX_CHUNK)) {
    const chunk: WallMs[] = [];
    const rule = toRule(text, dtstart, from);
    rule.between(new Date(from), END, true, (date) => chunk.push(date.getTime()) < size);
    yield* chunk;
    const last = chunk.at(-1);
    if (last === undefined || chunk.length < size) return undefined;
    from = last + 1;
  }
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
