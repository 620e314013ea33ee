/** One field of a cron expression, in the dialect of Python's croniter, which Prefect's clients write. */

export type CronFieldName = "minute" | "hour" | "day" | "month" | "weekday" | "second" | "year";

export interface CronField {
  /** Every value is meant. */
  readonly isAny: boolean;
  /** It is written as a star and nothing else. */
  readonly isStar: boolean;
  /** Ascending. */
  readonly values: readonly number[];
  /** The last day of the month is meant too. */
  readonly hasLast: boolean;
  /** Which of the month's weekdays are meant: `5#2` is the second Friday, `l5` the last one. Empty: all of them. */
  readonly nth: ReadonlyMap<number, ReadonlySet<number | "last">>;
}

const RANGES = {
  minute: [0, 59],
  hour: [0, 23],
  day: [1, 31],
  month: [1, 12],
  weekday: [0, 6],
  second: [0, 59],
  year: [1970, 2099],
} as const satisfies Record<CronFieldName, readonly [number, number]>;

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const RANGE = /^([^-]+)-([^-/]+)(?:\/(\d+))?$/;
const NTH = /^(\w+(?:-\w+)?)#(\d+)$/;
const LAST_WEEKDAY = /^l(\d+)$/;

/** Reads a field. Throws a RangeError that says what is wrong. `fieldCount` is how many fields the expression has. */
export function parseCronField(text: string, name: CronFieldName, fieldCount: number): CronField {
  if (text === "?") {
    if (name !== "day" && name !== "weekday") throw new RangeError("a question mark stands for a day only");
    return parseCronField("*", name, fieldCount);
  }
  const values = new Set<number>();
  const nth = new Map<number, Set<number | "last">>();
  let hasStar = false;
  let hasLast = false;
  let hasPlain = false;
  for (const element of text.split(",")) {
    const { base, which } = name === "weekday" ? weekdayElement(element) : { base: element, which: null };
    if (base === "*" && which === null) hasStar = true;
    else if (base === "l" && name === "day") hasLast = true;
    else {
      for (const value of elementValues(base, name, fieldCount)) {
        requireInRange(value, name);
        values.add(value);
        if (which === null) hasPlain = true;
        else nth.set(value, (nth.get(value) ?? new Set()).add(which));
      }
    }
  }
  if (nth.size > 0 && hasPlain && [...values].some((value) => !nth.has(value)) && values.size < 7) {
    throw new RangeError("weekdays and the nth weekday of a month cannot be mixed");
  }
  const [low, high] = RANGES[name];
  return {
    isAny: hasStar || values.size === high - low + 1,
    isStar: hasStar && values.size === 0 && !hasLast,
    values: [...values].sort((a, b) => a - b),
    hasLast,
    nth,
  };
}

function weekdayElement(element: string): { base: string; which: number | "last" | null } {
  const last = LAST_WEEKDAY.exec(element);
  if (last?.[1] !== undefined) return { base: last[1], which: "last" };
  const match = NTH.exec(element);
  if (match?.[1] === undefined) return { base: element, which: null };
  const which = Number(match[2]);
  if (which < 1 || which > 5) throw new RangeError("a month has no more than 5 of each weekday");
  return { base: match[1], which };
}

/** The values of `3`, `1-5`, `1-5/2`, `*` with a step, `3/2` or a name. */
function elementValues(element: string, name: CronFieldName, fieldCount: number): number[] {
  const [low, high] = RANGES[name];
  const match = RANGE.exec(element.replace(/^\*(?=\/.)/, `${low}-${high}`)) ?? RANGE.exec(openRange(element, high));
  if (match === null) return [readValue(element, name, fieldCount)];
  const [, first = "", second = "", step = "1"] = match;
  const from = readValue(first, name, fieldCount);
  const to = name === "day" && second === "l" ? 31 : readValue(second, name, fieldCount);
  if (Math.max(from, to) > high) throw new RangeError(`${Math.max(from, to)} is out of range`);
  return steps(from, to, Number(step), low, high);
}

/** `3/2` means from 3 to the end by 2. */
function openRange(element: string, high: number): string {
  return element.replace(/^(.+)\/(.+)$/, `$1-${high}/$2`);
}

/** A range that ends before it begins goes on at the lowest value; one of a single value means all of them. */
function steps(from: number, to: number, step: number, low: number, high: number): number[] {
  if (step === 0) throw new RangeError("a step must be at least 1");
  const span = (first: number, last: number): number[] => {
    const all: number[] = [];
    for (let value = first; value <= last; value += step) all.push(value);
    return all;
  };
  if (from === to) return span(low, high);
  if (from < to) return span(from, to);
  const start = span(from, high);
  const last = start.at(-1);
  const afterLast = last === undefined ? 0 : high - last;
  const skipped = last !== undefined && last - low + step > high - low + 1 && afterLast < step ? step - afterLast : 0;
  return [...start, ...span(low + skipped, to)];
}

function readValue(text: string, name: CronFieldName, fieldCount: number): number {
  if (/^\d+$/.test(text)) return alias(Number(text), name, fieldCount);
  if (text.startsWith("-")) throw new RangeError("negative numbers mean nothing here");
  const names = name === "month" ? MONTHS : name === "weekday" ? WEEKDAYS : [];
  const index = names.indexOf(text);
  if (index < 0) throw new RangeError(`"${text}" is not a value`);
  return name === "month" ? index + 1 : index;
}

/** Sunday may be 7, and in an expression with seconds the first day may be 0. */
function alias(value: number, name: CronFieldName, fieldCount: number): number {
  if (name === "weekday" && value === 7 && fieldCount === 5) return 0;
  if (name === "day" && value === 0 && fieldCount === 6) return 1;
  return value;
}

function requireInRange(value: number, name: CronFieldName): void {
  const [low, high] = RANGES[name];
  if (value < low || value > high) throw new RangeError(`${value} is not ${name === "hour" ? "an" : "a"} ${name}`);
}
