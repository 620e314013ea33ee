/** When an interval schedule is due: from a day on by the clock on the wall, below by the time that passes. */
import type { EpochMs } from "#protocol/time";
import type { Zone } from "./zone.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

export interface Interval {
  readonly everyMs: number;
  readonly anchor: EpochMs;
}

/**
 * From `start` on, strictly ascending. As upstream, the jump from the anchor to the start counts the time that passed,
 * not the days of the calendar, and only the steps from there go by the clock.
 */
export function* intervalTimes({ everyMs, anchor }: Interval, zone: Zone, start: EpochMs): Generator<EpochMs, void> {
  const step = (at: EpochMs): EpochMs =>
    micros(everyMs < DAY_MS ? at + everyMs : zone.instantOfSum(zone.wallAt(at) + everyMs));
  let at = micros(anchor + everyMs * Math.trunc((start - anchor) / everyMs));
  let last = Number.NEGATIVE_INFINITY;
  for (; ; at = step(at)) {
    if (at < start || at <= last) continue;
    last = at;
    yield at;
  }
}

/** Sums of fractions drift; the wire knows microseconds. */
function micros(at: number): EpochMs {
  const whole = Math.floor(at);
  return (whole + Math.round((at - whole) * 1000) / 1000) as EpochMs;
}
