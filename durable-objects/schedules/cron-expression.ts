/** Cron expressions: five fields, a sixth of seconds, a seventh of years, or a name such as `@daily`. */
import { type CronField, type CronFieldName, parseCronField } from "./cron-field.ts";

export interface CronExpression extends Readonly<Record<CronFieldName, CronField>> {
  /** Day of month and weekday are both restricted and joined by "or", as cron does. */
  readonly isEitherDay: boolean;
}

const FIELDS = ["minute", "hour", "day", "month", "weekday", "second", "year"] as const;
const NAMED = new Map([
  ["@midnight", "0 0 * * *"],
  ["@hourly", "0 * * * *"],
  ["@daily", "0 0 * * *"],
  ["@weekly", "0 0 * * 0"],
  ["@monthly", "0 0 1 * *"],
  ["@yearly", "0 0 1 1 *"],
  ["@annually", "0 0 1 1 *"],
]);
/** Times that are made up once for each schedule: upstream does not take them either. */
const MADE_UP = /^[hr](\(\d+-\d+\))?(\/\d+)?$/;

/** Throws a RangeError that says what is wrong. `dayOr`: whether a day of the month or a weekday is enough. */
export function parseCron(text: string, dayOr: boolean): CronExpression {
  const lower = text.toLowerCase();
  const written = (NAMED.get(lower) ?? lower).split(/\s+/).filter((field) => field !== "");
  if (written.length < 5 || written.length > 7) throw new RangeError("it has 5, 6 or 7 fields");
  if (written.some((field) => MADE_UP.test(field))) {
    throw new RangeError("random and hashed expressions are unsupported");
  }
  const field = (name: CronFieldName): CronField => {
    const own = written[FIELDS.indexOf(name)];
    return parseCronField(own ?? (name === "second" ? "0" : "*"), name, written.length);
  };
  const [day, weekday] = [field("day"), field("weekday")];
  // A field that lists every value still counts as restricted, unless the other one is written with a star.
  const [dayText = "", weekdayText = ""] = [written[2], written[4]];
  const isDayStar = day.isStar || (day.isAny && day.values.length > 0 && star(weekdayText));
  const isWeekdayStar = weekday.isStar || (weekday.isAny && weekday.values.length > 0 && star(dayText));
  return {
    minute: field("minute"),
    hour: field("hour"),
    day,
    month: field("month"),
    weekday,
    second: field("second"),
    year: field("year"),
    isEitherDay: dayOr && !isDayStar && !isWeekdayStar,
  };
}

function star(text: string): boolean {
  return text.includes("*") || text === "?";
}
