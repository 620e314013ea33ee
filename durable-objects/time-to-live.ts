/**
 * Runs that waited too long are not started any more. The span stands on the run's label, in seconds, and counts from
 * the time for which the run is scheduled; once it was started it has no meaning. Pure.
 */
import { WAITS_FOR_A_SLOT } from "#machine/occupancy";
import { TTL_LABEL } from "#protocol/flow-control";
import type { Labels } from "#protocol/flow-runs";
import { NO_DETAILS, type State, type StateCreate } from "#protocol/states";
import { type EpochMs, fromWireTime } from "#protocol/time";
import type { RunRow, RunSpec } from "./storage/run-rows.ts";

/** In milliseconds; null where nothing, or nothing that is a span, is said. */
export function timeToLiveMs(labels: Labels | undefined): number | null {
  const said = labels?.[TTL_LABEL];
  const seconds = typeof said === "string" || typeof said === "number" ? Number(said) : Number.NaN;
  return seconds > 0 && Number.isFinite(seconds) ? seconds * 1_000 : null;
}

/** What tells for how long a run has waited. */
export type Waiting = Pick<RunRow, "record"> & Partial<Pick<RunRow, "dueSince">>;

/** When a run that waits is given up; null for one that does not wait for its first start. */
export function expiresAt({ record, dueSince }: Waiting, ttlMs: number | null): EpochMs | null {
  const { state, runCount, expectedStartTime } = record;
  if (ttlMs === null || state?.type !== "SCHEDULED" || runCount > 0) return null;
  const due = dueTimeOf(state) ?? dueSince ?? expectedStartTime ?? fromWireTime(state.timestamp);
  return (due + ttlMs) as EpochMs;
}

/**
 * For when a state schedules its run; null for one that only puts it off because a limit is full: such a run has waited
 * since it was due before.
 */
export function dueTimeOf(state: State): EpochMs | null {
  const due = state.type === "SCHEDULED" ? state.state_details.scheduled_time : null;
  return due === null || state.name === WAITS_FOR_A_SLOT ? null : fromWireTime(due);
}

/** The end of a run that nobody started in time. */
export function expired(ttlMs: number): StateCreate {
  const message = `It was not started within ${ttlMs / 1_000} s of the time at which it was due, and that was its time to live.`;
  return { type: "CANCELLED", name: "Expired", message, data: null, state_details: NO_DETAILS };
}

/** The state that a run gets instead of being claimed; null when its time is not over. */
export function expiredInstead(row: RunRow | null, spec: RunSpec | null, now: EpochMs): StateCreate | null {
  const ttlMs = timeToLiveMs(spec?.labels);
  const at = row && expiresAt(row, ttlMs);
  return ttlMs !== null && at !== null && at <= now ? expired(ttlMs) : null;
}
