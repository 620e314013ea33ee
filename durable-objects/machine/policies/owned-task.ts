import type { OwnedTaskPolicy } from "../rule.ts";
import { aCacheKeyHasABoundedLength } from "../rules/a-cache-key-has-a-bounded-length.ts";
import { aClaimKeepsTheScheduledTime } from "../rules/a-claim-keeps-the-scheduled-time.ts";
import { aFailedTaskAwaitsItsRetry } from "../rules/a-failed-task-awaits-its-retry.ts";
import { aFinishedTaskStaysAsItIs } from "../rules/a-finished-task-stays-as-it-is.ts";
import { aRememberedResultIsUsed } from "../rules/a-remembered-result-is-used.ts";
import { aRerunIsNamedSo } from "../rules/a-rerun-is-named-so.ts";
import { aRunWaitsForItsScheduledTime } from "../rules/a-run-waits-for-its-scheduled-time.ts";
import { aTaskOfARetriedFlowIsRetrying } from "../rules/a-task-of-a-retried-flow-is-retrying.ts";
import { aTaskRemembersItsFlowsAttempt } from "../rules/a-task-remembers-its-flows-attempt.ts";
import { aTaskRunsOnlyWhileItsFlowDoes } from "../rules/a-task-runs-only-while-its-flow-does.ts";
import { aTaskWaitsWhenSlotsAreTaken } from "../rules/a-task-waits-when-slots-are-taken.ts";
import { preventDuplicateTransitions } from "../rules/prevent-duplicate-transitions.ts";

/** What holds when anybody proposes a state of a task run to its owner. */
export const OWNED_TASK_POLICY: OwnedTaskPolicy = {
  name: "owned-task",
  rules: [
    preventDuplicateTransitions,
    aRememberedResultIsUsed,
    aFinishedTaskStaysAsItIs,
    aTaskWaitsWhenSlotsAreTaken,
    aTaskOfARetriedFlowIsRetrying,
    aTaskRunsOnlyWhileItsFlowDoes,
    aClaimKeepsTheScheduledTime,
    aRunWaitsForItsScheduledTime,
    aFailedTaskAwaitsItsRetry,
    aRerunIsNamedSo,
    aTaskRemembersItsFlowsAttempt,
    aCacheKeyHasABoundedLength,
  ],
};
