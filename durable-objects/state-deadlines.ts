/**
 * What the passing of time makes of a state by itself: a pause that is not ended in time fails, a cancellation that
 * nobody confirms is done, a run that waits for longer than it should is marked late, and one whose time to live is over is
 * given up. Pure: the owner's alarm asks.
 */
import { SPANS } from "#protocol/limits";
import { NO_DETAILS, type State, type StateCreate } from "#protocol/states";
import { after, type EpochMs, fromWireTime, ms } from "#protocol/time";
import { expiresAt, type Waiting } from "./time-to-live.ts";

/** The kinds of deadlines that a state brings along; the kinds of a process's life are the owner's. */
export type StateDeadlineKind = "late" | "pause" | "cancelling" | "expired";

export interface StateDeadline {
  readonly kind: StateDeadlineKind;
  readonly dueAt: EpochMs;
}

/**
 * The deadline of a run's state; null for a state that may last. Runs of a pool are marked late by their pool. `ttlMs`
 * answers for how long the run may wait, and is asked only where that matters.
 */
export function stateDeadline(waiting: Waiting, ttlMs: () => number | null): StateDeadline | null {
  const { record: run } = waiting;
  const { state } = run;
  switch (state?.type) {
    case "SCHEDULED": {
      const endsAt = expiresAt(waiting, ttlMs());
      const late = run.pooled || state.name !== "Scheduled" ? null : lateAt(state);
      if (late !== null && (endsAt === null || late < endsAt)) return { kind: "late", dueAt: late };
      return endsAt === null ? null : { kind: "expired", dueAt: endsAt };
    }
    case "PAUSED": {
      const { pause_timeout: timeout } = state.state_details;
      return timeout === null ? null : { kind: "pause", dueAt: fromWireTime(timeout) };
    }
    case "CANCELLING":
      return { kind: "cancelling", dueAt: after(fromWireTime(state.timestamp), ms(SPANS.cancellingMs)) };
    default:
      return null;
  }
}

/** What a run becomes when the deadline of its state has passed. */
export function stateAfterDeadline(kind: Exclude<StateDeadlineKind, "expired">, state: State): StateCreate {
  switch (kind) {
    case "late":
      return {
        ...ended("SCHEDULED", null),
        name: "Late",
        state_details: { ...NO_DETAILS, scheduled_time: state.state_details.scheduled_time },
      };
    case "pause":
      return ended("FAILED", "The flow was paused and never resumed.");
    case "cancelling":
      return ended("CANCELLED", `Nobody confirmed the cancellation within ${SPANS.cancellingMs / 1000} s.`);
  }
}

/** When a scheduled run that nobody took counts as late. */
function lateAt(state: State): EpochMs {
  return after(fromWireTime(state.state_details.scheduled_time ?? state.timestamp), ms(SPANS.lateAfterMs));
}

function ended(type: StateCreate["type"], message: string | null): StateCreate {
  return { type, name: null, message, data: null, state_details: NO_DETAILS };
}
