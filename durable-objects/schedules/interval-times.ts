/** When an interval schedule is due: from a day on by the clock on the wall, below by the time that passes. */
import type { EpochMs } from "#protocol/time";
import type { Zone } from "./zone.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** The end of the year 9999, after which no time can be written. */
const END = Date.UTC(10_000, 0, 1) - 1;

export interface Interval {
  readonly everyMs: number;
  readonly anchor: EpochMs;
}

/**
 * From `start` on, strictly ascending. As upstream, the jump from the anchor to the start counts the time that passed,
 * not the days of the calendar, and only the steps from there go by the clock.
 */
export function* intervalTimes({ everyMs, anchor }: Interval, zone: Zone, start: EpochMs): Generator<EpochMs, void> {
  const first = micros(anchor + everyMs * Math.trunc((start - anchor) / everyMs));
  let at = first;
  let last = Number.NEGATIVE_INFINITY;
  for (let steps = 1; at <= END; steps++) {
    if (at >= start && at > last) {
      last = at;
      yield at;
    }
    // Below a day counted from the first: far from 1970 a number may be too coarse for one step more.
    if (everyMs < DAY_MS) at = micros(first + steps * everyMs);
    else at = Math.max(at + 1, micros(zone.instantOfSum(zone.wallAt(at) + everyMs))) as EpochMs;
  }
}

/** Sums of fractions drift; the wire knows microseconds. */
function micros(at: number): EpochMs {
  const whole = Math.floor(at);
  return (whole + Math.round((at - whole) * 1000) / 1000) as EpochMs;
}
