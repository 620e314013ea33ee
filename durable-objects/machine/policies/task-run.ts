import type { TaskPolicy } from "../rule.ts";
import { aClaimKeepsTheScheduledTime } from "../rules/a-claim-keeps-the-scheduled-time.ts";
import { aFailedTaskIsRetried } from "../rules/a-failed-task-is-retried.ts";
import { aFinishedTaskStaysAsItIs } from "../rules/a-finished-task-stays-as-it-is.ts";
import { aRerunIsNamedSo } from "../rules/a-rerun-is-named-so.ts";
import { aRunWaitsForItsScheduledTime } from "../rules/a-run-waits-for-its-scheduled-time.ts";
import { preventDuplicateTransitions } from "../rules/prevent-duplicate-transitions.ts";

/** What holds when the process that runs a flow proposes a state of one of its tasks. */
export const TASK_RUN_POLICY: TaskPolicy = {
  name: "task-run",
  rules: [
    preventDuplicateTransitions,
    aFinishedTaskStaysAsItIs,
    aClaimKeepsTheScheduledTime,
    aRunWaitsForItsScheduledTime,
    aFailedTaskIsRetried,
    aRerunIsNamedSo,
  ],
};
