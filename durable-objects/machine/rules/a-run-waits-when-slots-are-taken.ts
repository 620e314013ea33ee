import { NO_DETAILS } from "#protocol/states";
import { toWireTime } from "#protocol/time";
import { WAITS_FOR_A_SLOT } from "../occupancy.ts";
import type { Rule } from "../rule.ts";
import { PASS } from "../rule.ts";

/** What Prefect's clients and people are told, word for word as upstream says it. */
const REACHED = "Deployment concurrency limit reached.";

/**
 * A claim takes a slot of each limit of its deployment. When there is none the run goes back to wait, under a name that
 * says why, or is cancelled, as the deployment wishes; a limit of 0 stops whoever proposes the claim.
 */
export const aRunWaitsWhenSlotsAreTaken: Rule = {
  name: "a-run-waits-when-slots-are-taken",
  // Not PAUSED: a paused run cannot be claimed at all, and must not learn otherwise from a limit that is full.
  from: [null, "SCHEDULED", "COMPLETED", "FAILED", "CANCELLED", "CRASHED"],
  to: ["PENDING"],
  decide: ({ to }, { reservation }) => {
    switch (reservation.kind) {
      case "granted": {
        // A lease that ended with an earlier claim must not be taken for this one's.
        const state_details = { ...to.state_details, deployment_concurrency_lease_id: reservation.leaseId };
        return { kind: "amend", to: { ...to, state_details } };
      }
      case "closed":
        return {
          kind: "abort",
          because: "The deployment concurrency limit is 0. The flow will deadlock if submitted again.",
        };
      case "full":
        if (reservation.collision === "cancel") {
          const to = {
            type: "CANCELLED",
            name: null,
            message: REACHED,
            data: null,
            state_details: NO_DETAILS,
          } as const;
          return { kind: "replace", to, because: REACHED };
        }
        return {
          kind: "replace",
          to: {
            type: "SCHEDULED",
            name: WAITS_FOR_A_SLOT,
            message: `No slot is free in the concurrency limit "${reservation.limit}".`,
            data: null,
            state_details: { ...NO_DETAILS, scheduled_time: toWireTime(reservation.retryAt) },
          },
          because: REACHED,
        };
      default:
        return PASS;
    }
  },
};
