import { NO_DETAILS } from "#protocol/states";
import { after, seconds, toWireTime } from "#protocol/time";
import type { Rule } from "../rule.ts";
import { PASS } from "../rule.ts";

/** How long a run waits before it asks for a slot again. */
const SLOT_WAIT = seconds(30);

/** A claim for which there is no slot sends the run back to wait, under a name that says why. */
export const aRunWaitsWhenSlotsAreTaken: Rule = {
  name: "a-run-waits-when-slots-are-taken",
  // Not PAUSED: a paused run cannot be claimed at all, and must not learn otherwise from a limit that is full.
  from: [null, "SCHEDULED", "COMPLETED", "FAILED", "CANCELLED", "CRASHED"],
  to: ["PENDING"],
  decide: (_, { now, reservation }) => {
    if (reservation.kind !== "full") return PASS;
    const because = `No slot is free in the concurrency limit "${reservation.limit}".`;
    return {
      kind: "replace",
      to: {
        type: "SCHEDULED",
        name: "AwaitingConcurrencySlot",
        message: because,
        data: null,
        state_details: { ...NO_DETAILS, scheduled_time: toWireTime(after(now, SLOT_WAIT)) },
      },
      because,
    };
  },
};
