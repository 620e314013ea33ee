/** Spans as people write them: `"30s"`, `"5m"`, `"1h 30m"`, or a number of milliseconds. */
import { type DurationMs, ms } from "../protocol/time.ts";

/** A number is milliseconds; text is a number with a unit (ms, s, m, h, d), or several of them: `"1h 30m"`. */
export type Duration = number | string;

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const WHOLE = /^\s*(?:\d+(?:\.\d+)?\s*(?:ms|s|m|h|d)\s*)+$/;
const PART = /(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)/g;

/** Reads a span. `where` names the option for the error, for example `task option "timeout"`. Throws TypeError. */
export function parseDuration(value: Duration, where: string): DurationMs {
  if (typeof value === "number") {
    if (Number.isFinite(value) && value >= 0) return ms(value);
    throw new TypeError(`${where} is ${value}. Give milliseconds of 0 or more, or text such as "30s".`);
  }
  if (typeof value !== "string" || !WHOLE.test(value)) {
    throw new TypeError(
      `${where} is ${JSON.stringify(value)}. Give milliseconds, or a number with a unit: "500ms", "30s", "5m", "1h 30m", "2d".`,
    );
  }
  let total = 0;
  for (const [, count, unit] of value.matchAll(PART)) total += Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
  return ms(total);
}

/** Writes a span for people: `350 ms`, `2.5 s`, `4 min 10 s`. */
export function formatDuration(spanMs: number): string {
  if (spanMs < 1_000) return `${Math.round(spanMs)} ms`;
  if (spanMs < 60_000) return `${Math.round(spanMs / 100) / 10} s`;
  const wholeSeconds = Math.round(spanMs / 1_000);
  return `${Math.floor(wholeSeconds / 60)} min ${wholeSeconds % 60} s`;
}
