/** What becomes of times that passed while nobody was there to start their runs. Pure. */
import type { Schedule } from "#protocol/deployments";
import type { SchedulePolicy } from "#protocol/schedule-policies";
import { type EpochMs, fromWireTime } from "#protocol/time";
import { dueTimes } from "#schedules/due-times";

/** A run that nobody has touched so long after it was due was due while nobody was there. */
const MISSED_AFTER_MS = 90_000;
/** Runs that are made for the past at a time. */
const MAX_MISSED = 1_000;

/** The due times that were passed over and that the policy wants runs for, ascending. */
export function missedTimes(
  schedule: Schedule,
  policy: SchedulePolicy | null,
  lastDueAt: EpochMs | null,
  now: EpochMs,
): EpochMs[] {
  if (policy === null || lastDueAt === null || lastDueAt >= now) return [];
  if (policy.catch_up !== "LAST" && policy.catch_up !== "ALL") return [];
  const startAt = policy.start_at === null ? lastDueAt : fromWireTime(policy.start_at);
  const endAt = policy.end_at === null ? now : fromWireTime(policy.end_at);
  const from = Math.max(lastDueAt + 0.001, now - policy.catch_up_window * 1000, startAt) as EpochMs;
  const missed: EpochMs[] = [];
  for (const at of dueTimes(schedule, from)) {
    if (at >= now || at > endAt) break;
    missed.push(at);
    if (missed.length > MAX_MISSED) missed.shift();
  }
  return policy.catch_up === "LAST" ? missed.slice(-1) : missed;
}

/** Whether a run that was made in time, and was not started then, is not to be started any more. */
export function isPassedOver(
  { dueAt, catchUp, windowSeconds }: { dueAt: EpochMs; catchUp: SchedulePolicy["catch_up"]; windowSeconds: number },
  now: EpochMs,
): "no" | "yes" | "unless last" {
  if (catchUp === "DEFAULT" || dueAt > now - MISSED_AFTER_MS) return "no";
  if (catchUp === "NONE" || dueAt < now - windowSeconds * 1000) return "yes";
  return catchUp === "LAST" ? "unless last" : "no";
}
