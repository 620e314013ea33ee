/** Which runs hold slots: those that a worker or a process has in hand. */

import type { FlowRunPolicy } from "#protocol/flow-runs";
import type { State } from "#protocol/states";

/** The name of the SCHEDULED state of a run that stands in the line of its deployment's limit; upstream's. */
export const WAITS_FOR_A_SLOT = "AwaitingConcurrencySlot";

/** Whether the run has a slot, or stands in line for one. */
export function usesSlot({ state, policy }: { readonly state: State | null; readonly policy: FlowRunPolicy }): boolean {
  return isInHand(state, policy) || state?.name === WAITS_FOR_A_SLOT;
}

/** The run's lease on its deployment's limit, as its state knows it. It may have ended. */
export function leaseOf(state: State | null): string | null {
  return state?.state_details.deployment_concurrency_lease_id ?? null;
}

/**
 * True while a worker or a process has the run in hand, and so a slot. Besides PENDING, RUNNING and CANCELLING that is
 * a failed run whose own process waits for the retry, and a paused run whose process waits to be resumed: neither
 * passes a claim on its way back to RUNNING, so a slot given away meanwhile would be used twice.
 */
export function isInHand(state: State | null, policy: FlowRunPolicy): boolean {
  switch (state?.type) {
    case "PENDING":
    case "RUNNING":
    case "CANCELLING":
      return true;
    case "SCHEDULED":
      return policy.retry_type === "in_process";
    case "PAUSED":
      return !state.state_details.pause_reschedule;
    default:
      return false;
  }
}
