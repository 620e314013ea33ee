import type { StateCreate } from "#protocol/states";
import type { Policy } from "../rule.ts";
import { aCancellingRunOnlyBecomesCancelled } from "../rules/a-cancelling-run-only-becomes-cancelled.ts";
import { aClaimKeepsTheScheduledTime } from "../rules/a-claim-keeps-the-scheduled-time.ts";
import { aContinuedRunIsTheSameAttempt } from "../rules/a-continued-run-is-the-same-attempt.ts";
import { aFailedRunIsRetried } from "../rules/a-failed-run-is-retried.ts";
import { aFinalFailureIsNotRetried } from "../rules/a-final-failure-is-not-retried.ts";
import { aFinishedRunIsLeftOnlyToRunAgain } from "../rules/a-finished-run-is-left-only-to-run-again.ts";
import { aLeaseIdIsCarriedOn } from "../rules/a-lease-id-is-carried-on.ts";
import { aPausedRunResumesOrEnds } from "../rules/a-paused-run-resumes-or-ends.ts";
import { aRescheduledRunIsOfferedAgain } from "../rules/a-rescheduled-run-is-offered-again.ts";
import { aRescheduledRunStartsAfresh } from "../rules/a-rescheduled-run-starts-afresh.ts";
import { aRunIsClaimedByOne } from "../rules/a-run-is-claimed-by-one.ts";
import { aRunKeepsItsPlaceWhenItsPoolIsFull } from "../rules/a-run-keeps-its-place-when-its-pool-is-full.ts";
import { aRunThatLostItsSlotIsCancelled } from "../rules/a-run-that-lost-its-slot-is-cancelled.ts";
import { aRunThatWasTakenBackIsStartedOnce } from "../rules/a-run-that-was-taken-back-is-started-once.ts";
import { aRunWaitsForItsScheduledTime } from "../rules/a-run-waits-for-its-scheduled-time.ts";
import { aRunWaitsWhenSlotsAreTaken } from "../rules/a-run-waits-when-slots-are-taken.ts";
import { aRunWithoutAProcessIsCancelledAtOnce } from "../rules/a-run-without-a-process-is-cancelled-at-once.ts";
import { onlyRunningRunsArePaused } from "../rules/only-running-runs-are-paused.ts";
import { onlyScheduledRunsAreMarkedLate } from "../rules/only-scheduled-runs-are-marked-late.ts";
import { preventDuplicateTransitions } from "../rules/prevent-duplicate-transitions.ts";

/** What holds when anybody proposes a state of a flow run. */
export const FLOW_RUN_POLICY: Policy = {
  name: "flow-run",
  rules: [
    aLeaseIdIsCarriedOn,
    preventDuplicateTransitions,
    aFinishedRunIsLeftOnlyToRunAgain,
    aRescheduledRunStartsAfresh,
    aCancellingRunOnlyBecomesCancelled,
    aPausedRunResumesOrEnds,
    aRunWithoutAProcessIsCancelledAtOnce,
    aRunIsClaimedByOne,
    aRunThatWasTakenBackIsStartedOnce,
    aRunKeepsItsPlaceWhenItsPoolIsFull,
    aRunWaitsWhenSlotsAreTaken,
    aRunThatLostItsSlotIsCancelled,
    onlyScheduledRunsAreMarkedLate,
    onlyRunningRunsArePaused,
    aRescheduledRunIsOfferedAgain,
    aContinuedRunIsTheSameAttempt,
    aClaimKeepsTheScheduledTime,
    aRunWaitsForItsScheduledTime,
    aFailedRunIsRetried,
  ],
};

/** The same, for a failure that its process calls final. */
export const FINAL_FAILURE_POLICY: Policy = {
  name: "final-failure",
  rules: FLOW_RUN_POLICY.rules.map((rule) => (rule === aFailedRunIsRetried ? aFinalFailureIsNotRetried : rule)),
};

/**
 * The policy for what a process of this SDK proposes of its own run. Prefect's client calls every failure of a flow not
 * `retriable`, and has it retried all the same.
 */
export function ownRunPolicy({ type, state_details }: Pick<StateCreate, "type" | "state_details">): Policy {
  return type === "FAILED" && state_details.retriable === false ? FINAL_FAILURE_POLICY : FLOW_RUN_POLICY;
}
