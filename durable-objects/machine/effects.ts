/** What follows from a written state of a flow run. */

import type { State } from "#protocol/states";
import { fromWireTime } from "#protocol/time";
import { isInHand, leaseOf, WAITS_FOR_A_SLOT } from "./occupancy.ts";
import type { Effect, FlowRunRecord } from "./rule.ts";

/** The run as it was and as it is written. */
export interface Step {
  readonly before: FlowRunRecord;
  readonly state: State;
  readonly after: FlowRunRecord;
}

/** Derives every effect of a step. Effects of one step may be performed in any order. */
export function effectsOf(step: Step): readonly Effect[] {
  return [
    ...poolEffects(step),
    ...slotEffects(step),
    ...processEffects(step),
    ...childEffects(step),
    ...parentEffects(step),
    eventOf(step),
  ];
}

function poolEffects({ before, state, after }: Step): Effect[] {
  if (!after.pooled) return [];
  if (state.type === "SCHEDULED" && after.policy.retry_type !== "in_process") {
    // The pool has the run already, at this very time: that it is marked late changes nothing there.
    if (state.name === "Late" && waitsSince(before, state)) return [];
    return [{ kind: "offer", dueAt: fromWireTime(state.state_details.scheduled_time ?? state.timestamp) }];
  }
  // PENDING is the claim, by which the pool itself takes the run from its list.
  return before.state?.type === "SCHEDULED" && state.type !== "PENDING" ? [{ kind: "withdraw" }] : [];
}

/** Whether the run was offered for the time of this state before. */
function waitsSince({ state, policy }: FlowRunRecord, later: State): boolean {
  return (
    state?.type === "SCHEDULED" &&
    policy.retry_type !== "in_process" &&
    state.state_details.scheduled_time === later.state_details.scheduled_time
  );
}

function slotEffects({ before, state, after }: Step): Effect[] {
  if (isInHand(before.state, before.policy) && !isInHand(state, after.policy)) {
    return [{ kind: "release", leaseId: leaseOf(before.state) }];
  }
  // Who is claimed has left the line by it, and who is scheduled anew may stand in it.
  const isLeft = before.state?.name === WAITS_FOR_A_SLOT && state.type !== "SCHEDULED" && state.type !== "PENDING";
  return isLeft ? [{ kind: "leave-line" }] : [];
}

function processEffects({ before, state }: Step): Effect[] {
  if (state.type === "CANCELLING") return [{ kind: "tell-process", action: "cancel" }];
  if (state.type === "PAUSED" && state.state_details.pause_reschedule) {
    return [{ kind: "tell-process", action: "suspend" }];
  }
  // Whoever has the run in hand would not notice before it proposes something.
  return state.type === "CANCELLED" && before.state?.type !== "CANCELLING" && isInHand(before.state, before.policy)
    ? [{ kind: "tell-process", action: "cancel" }]
    : [];
}

/** A parent's end by request is the end of everything that it started; runs hear of it while it still cleans up. */
function childEffects({ before, state }: Step): Effect[] {
  if (state.type === "CANCELLING" && before.state?.type !== "CANCELLING") return [{ kind: "ask-children" }];
  return state.type === "CANCELLED" && before.state?.type !== "CANCELLED" ? [{ kind: "cancel-children" }] : [];
}

function parentEffects({ after }: Step): Effect[] {
  return after.parentTaskRunId === null ? [] : [{ kind: "mirror-to-parent", taskRunId: after.parentTaskRunId }];
}

function eventOf({ before, state, after }: Step): Effect {
  return { kind: "event", from: before.state, to: state, runCount: after.runCount };
}
