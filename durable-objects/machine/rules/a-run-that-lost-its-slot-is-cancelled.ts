import { NO_DETAILS } from "#protocol/states";
import type { Rule } from "../rule.ts";
import { PASS } from "../rule.ts";

/**
 * A run whose slot was given away, since it took longer to start than its deployment allows, does not start: what was
 * prepared for it cannot wait any more. One that got another slot goes on under the new lease.
 */
export const aRunThatLostItsSlotIsCancelled: Rule = {
  name: "a-run-that-lost-its-slot-is-cancelled",
  from: ["PENDING"],
  to: ["RUNNING"],
  decide: ({ to }, { reservation }) => {
    if (reservation.kind === "granted" && reservation.leaseId !== null) {
      const state_details = { ...to.state_details, deployment_concurrency_lease_id: reservation.leaseId };
      return { kind: "amend", to: { ...to, state_details } };
    }
    if (reservation.kind !== "lost") return PASS;
    return {
      kind: "replace",
      to: {
        type: "CANCELLED",
        name: null,
        message: "Deployment concurrency slot lost during provisioning - no slots available to continue execution",
        data: null,
        state_details: NO_DETAILS,
      },
      because: "Deployment concurrency limit reached after lease expiry.",
    };
  },
};
