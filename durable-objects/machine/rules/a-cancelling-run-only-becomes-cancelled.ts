import type { Rule } from "../rule.ts";

/** Nothing comes in between a request to cancel and CANCELLED: a failure of the dying process least of all. */
export const aCancellingRunOnlyBecomesCancelled: Rule = {
  name: "a-cancelling-run-only-becomes-cancelled",
  from: ["CANCELLING"],
  to: ["SCHEDULED", "PENDING", "RUNNING", "COMPLETED", "FAILED", "CRASHED", "PAUSED", "CANCELLING"],
  decide: () => ({ kind: "keep", because: "This run is being cancelled and can only become CANCELLED." }),
};
