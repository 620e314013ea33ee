import type { Rule } from "../rule.ts";

/** A run that leaves a terminal state forgets its pauses and retries; a scheduled one goes to a worker again. */
export const aRescheduledRunStartsAfresh: Rule = {
  name: "a-rescheduled-run-starts-afresh",
  from: ["COMPLETED", "FAILED", "CANCELLED", "CRASHED"],
  to: ["SCHEDULED", "PENDING", "RUNNING", "PAUSED", "CANCELLING"],
  decide: ({ to }, { run }) => {
    const retry_type = to.type === "SCHEDULED" ? "reschedule" : null;
    return { kind: "pass", patch: { policy: { ...run.policy, resuming: false, pause_keys: [], retry_type } } };
  },
};
