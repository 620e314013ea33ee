/** How far ahead runs of a schedule are made, and when to look again. Pure. */
import type { Schedule } from "#protocol/deployments";
import type { EpochMs } from "#protocol/time";
import { dueTimes } from "#schedules/due-times";

export interface Horizon {
  /** At least so many runs … */
  readonly minRuns: number;
  /** … and at least until so long after the start, but … */
  readonly minTimeMs: number;
  /** … no more than so many, and … */
  readonly maxRuns: number;
  /** … none due later than so long after the start. */
  readonly maxTimeMs: number;
}

const HOUR_MS = 60 * 60 * 1000;

/** Prefect's defaults. */
export const HORIZON: Horizon = {
  minRuns: 3,
  minTimeMs: HOUR_MS,
  maxRuns: 100,
  maxTimeMs: 100 * 24 * HOUR_MS,
};

/** Further than any clock goes: a schedule that has ended is not looked at again. */
const NEVER = 8.64e15 as EpochMs;

export interface Ahead {
  /** The due times that runs are wanted for, ascending. */
  readonly dueAt: readonly EpochMs[];
  /** Until then nothing more is wanted. */
  readonly nextCheckAt: EpochMs;
}

/** The due times from `start` on that the horizon covers. `endAt` is the last moment of the schedule. */
export function lookAhead(schedule: Schedule, start: EpochMs, endAt: EpochMs | null, horizon: Horizon): Ahead {
  const dueAt: EpochMs[] = [];
  const covered = (start + horizon.minTimeMs) as EpochMs;
  for (const at of dueTimes(schedule, start)) {
    if (endAt !== null && at > endAt) return { dueAt, nextCheckAt: NEVER };
    // The next one is too far away: look again when it is not.
    if (at > start + horizon.maxTimeMs) return { dueAt, nextCheckAt: (at - horizon.maxTimeMs) as EpochMs };
    dueAt.push(at);
    if (dueAt.length >= horizon.minRuns && at >= covered) {
      // Too few are left when all but `minRuns - 1` have passed, and too short a time before the last one comes close.
      const few = dueAt[dueAt.length - horizon.minRuns] ?? at;
      return { dueAt, nextCheckAt: Math.min(few, at - horizon.minTimeMs) as EpochMs };
    }
    if (dueAt.length >= horizon.maxRuns) return { dueAt, nextCheckAt: start };
  }
  return { dueAt, nextCheckAt: NEVER };
}
