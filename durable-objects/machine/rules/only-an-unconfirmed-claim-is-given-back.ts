import type { StateType } from "#protocol/states";
import { isInHand } from "../occupancy.ts";
import type { Rule } from "../rule.ts";
import { PASS } from "../rule.ts";

/** What may become of a run whose holder was not heard of in time. */
const OUTCOMES: Partial<Record<StateType, readonly StateType[]>> = {
  // The claim was not confirmed: another worker may have it, until there were too many claims.
  PENDING: ["SCHEDULED", "CRASHED"],
  // Its end, unless its deployment has it offered again.
  RUNNING: ["CRASHED", "SCHEDULED"],
  // The process is gone, and with it what was to be cancelled.
  CANCELLING: ["CANCELLED"],
  // The process that waited for its retry or its resumption is gone.
  SCHEDULED: ["CRASHED", "SCHEDULED"],
  PAUSED: ["CRASHED", "SCHEDULED"],
};

/** The end of a lease changes only runs that somebody had in hand, and only in the way that fits their state. */
export const onlyAnUnconfirmedClaimIsGivenBack: Rule = {
  name: "only-an-unconfirmed-claim-is-given-back",
  from: "any",
  to: "any",
  decide: ({ from, to }, { run }) => {
    const allowed = from !== null && isInHand(from, run.policy) && OUTCOMES[from.type]?.includes(to.type) === true;
    if (allowed) return PASS;
    return {
      kind: "abort",
      because: `A run in ${from?.type ?? "no"} state does not become ${to.type} because its holder was lost.`,
    };
  },
};
