/**
 * Runs that waited too long are not started any more. The span stands on the run's label, in seconds, and counts from
 * the time at which the run was due; once it was started it has no meaning. Pure.
 */
import { WAITS_FOR_A_SLOT } from "#machine/occupancy";
import type { FlowRunRecord } from "#machine/rule";
import { TTL_LABEL } from "#protocol/flow-control";
import type { Labels } from "#protocol/flow-runs";
import { NO_DETAILS, type StateCreate } from "#protocol/states";
import { type EpochMs, fromWireTime } from "#protocol/time";
import type { RunRow, RunSpec } from "./storage/run-store.ts";

/** In milliseconds; null where nothing, or nothing that is a span, is said. */
export function timeToLiveMs(labels: Labels | undefined): number | null {
  const said = labels?.[TTL_LABEL];
  const seconds = typeof said === "string" || typeof said === "number" ? Number(said) : Number.NaN;
  return seconds > 0 && Number.isFinite(seconds) ? seconds * 1_000 : null;
}

/** When a run that waits is given up; null for one that does not wait for its first start. */
export function expiresAt({ state, runCount, expectedStartTime }: FlowRunRecord, ttlMs: number | null): EpochMs | null {
  if (ttlMs === null || state?.type !== "SCHEDULED" || runCount > 0) return null;
  const due = state.state_details.scheduled_time;
  const first = expectedStartTime ?? fromWireTime(state.timestamp);
  // Whoever is put off by a full limit has waited since the run was due; one that was scheduled anew is due then.
  const since = state.name === WAITS_FOR_A_SLOT || due === null ? first : Math.max(first, fromWireTime(due));
  return (since + ttlMs) as EpochMs;
}

/** The end of a run that nobody started in time. */
export function expired(ttlMs: number): StateCreate {
  const message = `It was not started within ${ttlMs / 1_000} s of the time at which it was due, and that was its time to live.`;
  return { type: "CANCELLED", name: "Expired", message, data: null, state_details: NO_DETAILS };
}

/** The state that a run gets instead of being claimed; null when its time is not over. */
export function expiredInstead(row: RunRow | null, spec: RunSpec | null, now: EpochMs): StateCreate | null {
  const ttlMs = timeToLiveMs(spec?.labels);
  const at = row && expiresAt(row.record, ttlMs);
  return ttlMs !== null && at !== null && at <= now ? expired(ttlMs) : null;
}
