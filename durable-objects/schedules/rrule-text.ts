/** Reads recurrence rules (RFC 5545) as Python's dateutil does for Prefect: one rule, or a set of rules and dates. */
import { zoneNamed } from "./zone.ts";

/** A date-time as it is written; what zone it names is not looked at, since the schedule has one. */
interface WrittenTime {
  readonly wall: number;
  /** It is written with a zone or as UTC. */
  readonly isZoned: boolean;
}

export interface RuleText {
  /** `FREQ=…;…` without its UNTIL. */
  readonly options: string;
  readonly frequency: string;
  readonly interval: number;
  readonly hasCount: boolean;
  readonly until: number | null;
}

export interface RecurrenceText {
  /** Null when no DTSTART is written. */
  readonly start: number | null;
  readonly rules: readonly RuleText[];
  readonly exRules: readonly RuleText[];
  readonly dates: readonly number[];
  readonly exDates: readonly number[];
}

const FREQUENCIES = ["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"];
const NUMBERS = new Set(["BYSETPOS", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYEASTER", "BYWEEKNO"]);
const DAY = "(MO|TU|WE|TH|FR|SA|SU)";
const WEEKDAY = new RegExp(`^([+-]?\\d{1,2})?${DAY}$|^${DAY}\\([+-]?\\d{1,2}\\)$`);
const TIME = /^(\d{4})-?(\d{2})-?(\d{2})(?:T(\d{2}):?(\d{2})(?::?(\d{2}))?)?(Z)?$/;

/** Throws a RangeError that says what is wrong. */
export function parseRecurrence(text: string): RecurrenceText {
  const lines = text
    .toUpperCase()
    .split(/\s+/)
    .filter((line) => line !== "");
  if (lines.length === 0) throw new RangeError("it is empty");
  let start: WrittenTime | null = null;
  const rules: string[] = [];
  const exRules: string[] = [];
  const dates: number[] = [];
  const exDates: number[] = [];
  for (const line of lines) {
    const colon = line.indexOf(":");
    const [name = "", ...marks] = (colon < 0 ? "RRULE" : line.slice(0, colon)).split(";");
    const value = line.slice(colon + 1);
    switch (name) {
      case "RRULE":
      case "EXRULE":
        if (marks.length > 0) throw new RangeError(`unsupported ${name} parameter: ${marks[0]}`);
        (name === "RRULE" ? rules : exRules).push(value);
        break;
      case "RDATE":
        if (marks.some((mark) => mark !== "VALUE=DATE-TIME")) throw new RangeError(`unsupported RDATE parameter`);
        dates.push(...value.split(",").map((date) => readTime(date).wall));
        break;
      case "EXDATE":
        exDates.push(...readMarked(value, marks).map(({ wall }) => wall));
        break;
      case "DTSTART": {
        const [only, ...others] = readMarked(value, marks);
        if (only === undefined || others.length > 0) throw new RangeError(`DTSTART has several values: ${value}`);
        start = only;
        break;
      }
      default:
        throw new RangeError(`unsupported property: ${name}`);
    }
  }
  if (rules.length === 0 && exRules.length + dates.length + exDates.length === 0)
    throw new RangeError("no rule is in it");
  const isZoned = start?.isZoned ?? null;
  return {
    start: start?.wall ?? null,
    rules: rules.map((rule) => readRule(rule, isZoned)),
    exRules: exRules.map((rule) => readRule(rule, isZoned)),
    dates,
    exDates,
  };
}

function readRule(text: string, isStartZoned: boolean | null): RuleText {
  const kept: string[] = [];
  const read = { frequency: "", interval: 1, hasCount: false, until: null as number | null };
  for (const pair of text.split(";")) {
    const [name = "", value = "", ...rest] = pair.split("=");
    if (value === "" || rest.length > 0) throw new RangeError(`"${pair}" is not of the form NAME=value`);
    const wrong = new RangeError(`invalid '${name}': ${value}`);
    const isIn = (low: number, high: number) => value.split(",").every((one) => isWhole(one, low, high));
    if (name === "FREQ") {
      if (!FREQUENCIES.includes(value)) throw wrong;
      read.frequency = value;
    } else if (name === "INTERVAL" || name === "COUNT") {
      if (!isWhole(value, name === "COUNT" ? 0 : 1, Number.MAX_SAFE_INTEGER)) throw wrong;
      if (name === "COUNT") read.hasCount = true;
      else read.interval = Number(value);
    } else if (name === "UNTIL") {
      const until = readTime(value);
      if (isStartZoned !== null && until.isZoned !== isStartZoned) {
        throw new RangeError("RRULE UNTIL values must be specified in UTC when DTSTART is timezone-aware");
      }
      read.until = until.wall;
      continue;
    } else if (name === "WKST") {
      if (!new RegExp(`^${DAY}$`).test(value)) throw wrong;
    } else if (name === "BYDAY" || name === "BYWEEKDAY") {
      if (!value.split(",").every((day) => WEEKDAY.test(day))) throw wrong;
      const days = value.replace(/([A-Z]{2})\(([^)]*)\)/g, "$2$1");
      kept.push(`BYDAY=${days}`);
      continue;
    } else if (name === "BYHOUR" ? !isIn(0, 23) : name === "BYMINUTE" || name === "BYSECOND" ? !isIn(0, 59) : false) {
      throw wrong;
    } else if (NUMBERS.has(name)) {
      // The library knows one only, and with several it would have a rule that is never due.
      if (name === "BYEASTER" && value.includes(",")) throw new RangeError("BYEASTER takes one number here");
      if (!isIn(-366, 366) || (name === "BYSETPOS" && value.split(",").includes("0"))) throw wrong;
    } else if (!["BYHOUR", "BYMINUTE", "BYSECOND"].includes(name)) {
      throw new RangeError(`unknown parameter '${name}'`);
    }
    kept.push(`${name}=${value}`);
  }
  if (read.frequency === "") throw new RangeError("FREQ is missing");
  return { options: kept.join(";"), ...read };
}

function readMarked(value: string, marks: readonly string[]): WrittenTime[] {
  let isZoned = false;
  for (const mark of marks) {
    if (mark.startsWith("TZID=")) isZoned ||= zoneNamed(mark.slice("TZID=".length)) !== null;
    else if (mark !== "VALUE=DATE-TIME" && mark !== "VALUE=DATE")
      throw new RangeError(`unsupported parameter: ${mark}`);
  }
  return value.split(",").map((date) => {
    const time = readTime(date);
    if (isZoned && time.isZoned) throw new RangeError("a date names more than one time zone");
    return { ...time, isZoned: isZoned || time.isZoned };
  });
}

function readTime(text: string): WrittenTime {
  const match = TIME.exec(text);
  if (!match) throw new RangeError(`"${text}" is not a date, for example 20261121T090000`);
  const [, year, month, day, hour = "0", minute = "0", second = "0", zulu] = match;
  const wall = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  const isReal = new Date(wall).getUTCDate() === Number(day) && Number(hour) < 24 && Number(minute) < 60;
  if (!isReal) throw new RangeError(`"${text}" is not a date`);
  return { wall, isZoned: zulu !== undefined };
}

function isWhole(text: string, low: number, high: number): boolean {
  return /^[+-]?\d+$/.test(text) && Number(text) >= low && Number(text) <= high;
}
