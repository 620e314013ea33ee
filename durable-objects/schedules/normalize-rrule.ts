/** Writes into a rule where it begins, as upstream does when one is stored: what is implied today may differ tomorrow. */
import type { EpochMs } from "#protocol/time";
import { parseRecurrence } from "./rrule-text.ts";
import { DEFAULT_START } from "./rrule-times.ts";
import { zoneNamed } from "./zone.ts";

const UNITS = new Map([
  ["MINUTELY", 60_000],
  ["SECONDLY", 1000],
]);

/** The rule itself when it says where it begins. Throws a RangeError when it is no rule. */
export function normalizeRrule(text: string, timezone: string, now: EpochMs): string {
  const { rules, exRules, dates, exDates } = parseRecurrence(text);
  if (text.toUpperCase().includes("DTSTART")) return text;
  const [rule] = rules;
  const isSingle = rules.length === 1 && exRules.length + dates.length + exDates.length === 0;
  const unit = rule && isSingle && !rule.hasCount ? UNITS.get(rule.frequency) : undefined;
  let start = DEFAULT_START;
  // A rule by the minute or second begins close to now, in step with where it would have begun.
  if (rule && unit !== undefined) {
    const wall = zoneNamed(timezone)?.wallAt(now) ?? now;
    const periodMs = unit * rule.interval;
    start += Math.max(0, Math.floor((wall - start) / periodMs)) * periodMs;
  }
  const digits = new Date(start).toISOString().slice(0, 19).replace(/[-:]/g, "");
  // One that ends at a time of UTC has to begin at one, too.
  const mark = /UNTIL=\w+Z/i.test(text) ? "Z" : "";
  return `DTSTART:${digits}${mark}\n${text}`;
}
