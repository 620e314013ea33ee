/** Intervals of schedules as people write them. */

const CLOCK = /^(\d+):([0-5]?\d):([0-5]?\d(?:\.\d+)?)$/;
const ISO = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i;
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * The seconds of an interval: a number of seconds (`90`), `hh:mm:ss` (`01:30:00`) or an ISO 8601 duration without months
 * and years (`PT15M`, `P1DT12H`). Throws a RangeError for anything else, and for nothing at all.
 */
export function intervalSeconds(written: number | string): number {
  const seconds = typeof written === "number" ? written : read(written.trim());
  if (Number.isFinite(seconds) && seconds > 0) return seconds;
  throw new RangeError(
    `"${written}" is not an interval: write seconds (90), hh:mm:ss (01:30:00) or ISO 8601 (PT15M, P1D).`,
  );
}

function read(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  const clock = CLOCK.exec(text);
  if (clock) return Number(clock[1]) * HOUR + Number(clock[2]) * MINUTE + Number(clock[3]);
  const iso = ISO.exec(text);
  if (!iso) return Number.NaN;
  const [weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = iso.slice(1).map((part) => Number(part ?? 0));
  return weeks * 7 * DAY + days * DAY + hours * HOUR + minutes * MINUTE + seconds;
}
