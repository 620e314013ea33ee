import type { Rule } from "../rule.ts";
import { PASS } from "../rule.ts";

/**
 * A run that is scheduled by anything but its own retry goes to a worker, even if it was retried in process before:
 * with the mark of that retry it would wait for a process that is gone.
 *
 * Says nothing about a run that is SCHEDULED already: the process that waits for its retry may be alive.
 */
export const aRescheduledRunIsOfferedAgain: Rule = {
  name: "a-rescheduled-run-is-offered-again",
  from: ["PENDING", "RUNNING", "PAUSED", "CANCELLING"],
  to: ["SCHEDULED"],
  decide: (_, { run }) =>
    run.policy.retry_type === "in_process"
      ? { kind: "pass", patch: { policy: { ...run.policy, retry_type: null } } }
      : PASS,
};
