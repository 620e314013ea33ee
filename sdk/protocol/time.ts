/**
 * Time on the wire and inside.
 *
 * Inside, an instant is a number of milliseconds since 1970 (UTC) that may carry a fraction: Prefect compares
 * timestamps to the microsecond, and a double still holds microseconds exactly enough for this century.
 * On the wire it is ISO 8601 with microseconds and `Z`.
 */
import { z } from "zod";

/** Milliseconds since 1970-01-01T00:00:00Z; the fraction counts microseconds. */
export const EpochMs = z.number().finite().brand<"EpochMs">();
export type EpochMs = z.infer<typeof EpochMs>;

/** A span in milliseconds. */
export const DurationMs = z.number().finite().nonnegative().brand<"DurationMs">();
export type DurationMs = z.infer<typeof DurationMs>;

/** The instant `span` after `start`. */
export function after(start: EpochMs, span: DurationMs): EpochMs {
  return (start + span) as EpochMs;
}

/** Whole and fractional seconds as a span; Prefect's wire counts in seconds. */
export function seconds(count: number): DurationMs {
  return (count * 1000) as DurationMs;
}

/** Milliseconds as a span. */
export function ms(count: number): DurationMs {
  return count as DurationMs;
}

/** The years that upstream knows and that have four digits, so that texts sort as their instants do: 1 to 9999. */
const EARLIEST = -62_135_596_800_000;
/** Of the last second, what a double holds of its fraction. */
const LATEST = 253_402_300_799_999.9;

const ISO =
  /^\s*([+-]?\d{4,6})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|z|[+-]\d{2}(?::?\d{2})?)?)?\s*$/;

/**
 * Reads an ISO 8601 instant, leniently: `T` or a space, any number of fraction digits, an offset, `Z` or nothing
 * (which means UTC, as upstream), or a date alone. Answers null for anything else, and outside of the years 1 to 9999.
 */
export function parseWireTime(text: string): EpochMs | null {
  const match = ISO.exec(text);
  if (!match) return null;
  const [, year, month, day, hour = "0", minute = "0", second = "0", fraction = "", zone = "Z"] = match;
  const m = Number(month);
  const d = Number(day);
  const h = Number(hour);
  const min = Number(minute);
  const s = Number(second);
  if (m < 1 || m > 12 || d < 1 || d > 31 || h > 24 || min > 59 || s > 60) return null;
  const date = new Date(0);
  // Not Date.UTC, for which the years 0 to 99 are those of the last century.
  date.setUTCFullYear(Number(year), m - 1, d);
  const whole = date.setUTCHours(h, min, s);
  if (date.getUTCMonth() !== m - 1 && h < 24) return null;
  let offsetMinutes = 0;
  if (zone !== "Z" && zone !== "z") {
    const digits = zone.slice(1).replace(":", "");
    offsetMinutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2, 4) || "0");
    if (zone.startsWith("-")) offsetMinutes = -offsetMinutes;
  }
  const micros = Number(fraction.padEnd(6, "0").slice(0, 6));
  const toSecond = whole - offsetMinutes * 60_000;
  if (!(toSecond >= EARLIEST && toSecond <= LATEST)) return null;
  return Math.min(toSecond + micros / 1000, LATEST) as EpochMs;
}

/** An instant on the wire, normalised: text that sorts as time does. */
export type WireTime = string & z.core.$brand<"WireTime">;

/** The text of the last millisecond: a busy process writes many instants of the same one. */
let lastWhole = Number.NaN;
let lastText = "";

/** Writes an instant as `2026-11-21T05:14:31.123456Z`; one before the year 1 or after 9999 as the nearest of these. */
export function toWireTime(at: EpochMs): WireTime {
  const written = Math.min(Math.max(at, EARLIEST), LATEST);
  const whole = Math.floor(written);
  const micros = Math.min(999, Math.round((written - whole) * 1000));
  if (whole !== lastWhole) {
    lastText = new Date(whole).toISOString().slice(0, -1);
    lastWhole = whole;
  }
  return `${lastText}${String(micros).padStart(3, "0")}Z` as WireTime;
}

/** Length of what {@link toWireTime} writes. */
const NORMAL_LENGTH = 27;

/** Reads a wire time that is known to be well formed (it was parsed at the border or made here). */
export function fromWireTime(text: string): EpochMs {
  if (text.length === NORMAL_LENGTH && text.endsWith("Z") && text.charAt(10) === "T") {
    // What is normal needs no leniency; by the same sum as there, so that both read the same number.
    const value = Date.parse(`${text.slice(0, 19)}Z`) + Number(text.slice(20, 26)) / 1000;
    if (Number.isFinite(value)) return value as EpochMs;
  }
  const at = parseWireTime(text);
  if (at === null) throw new RangeError(`Not an ISO 8601 time: ${text}`);
  return at;
}

/** Numbers above this are milliseconds, as pydantic reads them. */
const LARGEST_SECONDS = 2e10;

/** An instant on the wire. Accepts every form of {@link parseWireTime}; is normalised to microseconds and `Z`. */
export const WireTime = z
  .string()
  .refine((text) => parseWireTime(text) !== null, {
    error: "must be a time in ISO 8601, for example 2026-11-21T05:14:31Z",
  })
  .overwrite((text) => {
    const at = parseWireTime(text);
    return at === null ? text : toWireTime(at);
  })
  .meta({ format: "date-time" })
  .brand<"WireTime">();

/** An instant as Prefect's clients send it now and then: {@link WireTime}, or seconds since 1970. */
export const LenientTime = z.union([
  WireTime,
  z
    .number()
    .min(EARLIEST / 1_000)
    .max(LATEST)
    .transform((at) => toWireTime((at > LARGEST_SECONDS ? at : at * 1_000) as EpochMs)),
]);
