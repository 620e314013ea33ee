/** The only place in this room that reads the time. */
import type { EpochMs } from "#protocol/time";

let offsetMs = 0;

export const clock = {
  /** Milliseconds since 1970. In Workers it advances with I/O only, so it stands still within one synchronous stretch. */
  now(): EpochMs {
    return (Date.now() + offsetMs) as EpochMs;
  },

  /**
   * Moves every clock of this process forward (or back) by a span in milliseconds. For tests: the runtime's alarms
   * keep real time, so a test that moves the clock runs the alarm itself.
   */
  move(spanMs: number): void {
    offsetMs += spanMs;
  },
};
