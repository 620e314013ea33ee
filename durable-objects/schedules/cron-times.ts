/** What the clock shows when a cron schedule is due. */
import type { CronExpression } from "./cron-expression.ts";
import type { CronField } from "./cron-field.ts";
import type { WallMs } from "./zone.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const SECOND_MS = 1000;
/** An expression that does not match for so long never does. */
const MAX_DAYS_WITHOUT_MATCH = 50 * 366;

/** Every wall time from `start` on that matches, ascending; ends when there is none for fifty years. */
export function* cronWalls(cron: CronExpression, start: WallMs): Generator<WallMs, void> {
  const seconds = valuesOf(cron.second, 60);
  const minutes = valuesOf(cron.minute, 60);
  const hours = valuesOf(cron.hour, 24);
  const from = Math.ceil(start / SECOND_MS) * SECOND_MS;
  let dayStart = Math.floor(from / DAY_MS) * DAY_MS;
  for (let idle = 0; idle < MAX_DAYS_WITHOUT_MATCH; dayStart += DAY_MS) {
    idle += 1;
    if (!matchesDay(cron, new Date(dayStart))) continue;
    idle = 0;
    for (const hour of hours) {
      if (dayStart + (hour + 1) * 3_600_000 <= from) continue;
      for (const minute of minutes) {
        if (dayStart + hour * 3_600_000 + (minute + 1) * 60_000 <= from) continue;
        for (const second of seconds) {
          const wall = dayStart + hour * 3_600_000 + minute * 60_000 + second * SECOND_MS;
          if (wall >= from) yield wall;
        }
      }
    }
  }
}

function matchesDay(cron: CronExpression, date: Date): boolean {
  if (!has(cron.year, date.getUTCFullYear()) || !has(cron.month, date.getUTCMonth() + 1)) return false;
  const isDay = matchesDayOfMonth(cron.day, date);
  const isWeekday = matchesWeekday(cron.weekday, date);
  // The nth weekday of a month is meant even where a day of the month would be enough.
  if (cron.isEitherDay) return cron.weekday.nth.size > 0 ? isWeekday : isDay || isWeekday;
  return isDay && isWeekday;
}

function matchesDayOfMonth(field: CronField, date: Date): boolean {
  return has(field, date.getUTCDate()) || (field.hasLast && date.getUTCDate() === daysInMonth(date));
}

function matchesWeekday(field: CronField, date: Date): boolean {
  const weekday = date.getUTCDay();
  if (field.nth.size === 0) return has(field, weekday);
  const which = field.nth.get(weekday);
  if (!which) return false;
  const day = date.getUTCDate();
  return which.has(Math.ceil(day / 7)) || (which.has("last") && day + 7 > daysInMonth(date));
}

function has(field: CronField, value: number): boolean {
  return field.isAny || field.values.includes(value);
}

function daysInMonth(date: Date): number {
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
}

function valuesOf(field: CronField, count: number): readonly number[] {
  return field.isAny ? Array.from({ length: count }, (_, value) => value) : field.values;
}
