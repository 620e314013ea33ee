/** Tells the owners of runs that have waited in a pool for too long; their states say so to people. */
import type { FlowRunId } from "#protocol/ids";
import { SPANS } from "#protocol/limits";
import type { EpochMs } from "#protocol/time";
import type { PoolStore } from "./storage/pool-store.ts";

/** Runs that are marked late together. */
const LATE_AT_ONCE = 100;
/** What could not be told is told again after this many milliseconds. */
const TELL_AGAIN_MS = 1_000;

/** Answers when to look again; null when nothing waits that is not marked. */
export async function markLateRuns(
  store: PoolStore,
  now: EpochMs,
  markLate: (id: FlowRunId) => Promise<void>,
): Promise<EpochMs | null> {
  const late = store.notMarkedLate((now - SPANS.lateAfterMs) as EpochMs, LATE_AT_ONCE);
  const outcomes = await Promise.allSettled(late.map(markLate));
  const told = late.filter((_, index) => outcomes[index]?.status === "fulfilled");
  if (told.length > 0) store.markLate(told);
  const next = store.nextNotMarkedLate();
  if (next === null) return null;
  // A page that was full has its next at once, unless nobody could be told.
  const isAtOnce = late.length === LATE_AT_ONCE && told.length > 0;
  return Math.max(next + SPANS.lateAfterMs, isAtOnce ? now : now + TELL_AGAIN_MS) as EpochMs;
}
