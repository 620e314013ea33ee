import type { OwnedTaskPolicy } from "../rule.ts";
import { aCacheKeyHasABoundedLength } from "../rules/a-cache-key-has-a-bounded-length.ts";
import { aClaimKeepsTheScheduledTime } from "../rules/a-claim-keeps-the-scheduled-time.ts";
import { aClaimKeepsTheTaskParameters } from "../rules/a-claim-keeps-the-task-parameters.ts";
import { aFailedTaskAwaitsItsRetry } from "../rules/a-failed-task-awaits-its-retry.ts";
import { aFinishedTaskStaysAsItIs } from "../rules/a-finished-task-stays-as-it-is.ts";
import { aRememberedResultIsUsed } from "../rules/a-remembered-result-is-used.ts";
import { aRerunIsNamedSo } from "../rules/a-rerun-is-named-so.ts";
import { aRunIsClaimedByOne } from "../rules/a-run-is-claimed-by-one.ts";
import { aRunWaitsForItsScheduledTime } from "../rules/a-run-waits-for-its-scheduled-time.ts";
import { aTaskOfARetriedFlowIsRetrying } from "../rules/a-task-of-a-retried-flow-is-retrying.ts";
import { aTaskRemembersItsFlowsAttempt } from "../rules/a-task-remembers-its-flows-attempt.ts";
import { preventDuplicateTransitions } from "../rules/prevent-duplicate-transitions.ts";

/**
 * What holds for a proposal that calls itself deferred: the task is executed by whichever task worker claims it, and
 * may outlive the flow that asked for it.
 */
export const BACKGROUND_TASK_POLICY: OwnedTaskPolicy = {
  name: "background-task",
  rules: [
    preventDuplicateTransitions,
    aRunIsClaimedByOne,
    aRememberedResultIsUsed,
    aFinishedTaskStaysAsItIs,
    aTaskOfARetriedFlowIsRetrying,
    aClaimKeepsTheScheduledTime,
    aClaimKeepsTheTaskParameters,
    aRunWaitsForItsScheduledTime,
    aFailedTaskAwaitsItsRetry,
    aRerunIsNamedSo,
    aTaskRemembersItsFlowsAttempt,
    aCacheKeyHasABoundedLength,
  ],
};
