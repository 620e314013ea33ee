import { NO_DETAILS } from "#protocol/states";
import type { Rule } from "../rule.ts";
import { PASS } from "../rule.ts";

/**
 * A deployment that wants runs cancelled rather than kept waiting means those, too, that nobody took in time: otherwise
 * they would gather as Late, and all ask for the slot when a worker is back.
 */
export const aLateRunIsCancelledWhenSlotsAreTaken: Rule = {
  name: "a-late-run-is-cancelled-when-slots-are-taken",
  from: ["SCHEDULED"],
  to: ["SCHEDULED"],
  decide: ({ to }, { reservation }) => {
    if (to.name !== "Late" || reservation.kind !== "full" || reservation.collision !== "cancel") return PASS;
    return {
      kind: "replace",
      to: {
        type: "CANCELLED",
        name: null,
        message: "Deployment concurrency limit reached.",
        data: null,
        state_details: NO_DETAILS,
      },
      because: "Deployment concurrency limit is full and uses the CANCEL_NEW strategy.",
    };
  },
};
