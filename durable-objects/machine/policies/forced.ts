import type { Policy } from "../rule.ts";
import { aLeaseIdIsCarriedOn } from "../rules/a-lease-id-is-carried-on.ts";
import { aRescheduledRunIsOfferedAgain } from "../rules/a-rescheduled-run-is-offered-again.ts";
import { aRescheduledRunStartsAfresh } from "../rules/a-rescheduled-run-starts-afresh.ts";
import { aResultIsNotLost } from "../rules/a-result-is-not-lost.ts";
import { aRunWithoutAProcessIsCancelledAtOnce } from "../rules/a-run-without-a-process-is-cancelled-at-once.ts";

/**
 * What holds even when a person insists (`force`) and for a run's first state: only what keeps results from being
 * lost and runs from being stuck. A person may do here what I5 forbids to everybody else.
 */
export const FORCED_POLICY: Policy = {
  name: "forced",
  rules: [
    aLeaseIdIsCarriedOn,
    aResultIsNotLost,
    aRescheduledRunStartsAfresh,
    aRunWithoutAProcessIsCancelledAtOnce,
    aRescheduledRunIsOfferedAgain,
  ],
};
