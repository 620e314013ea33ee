import { CONTINUING } from "#protocol/states";
import type { Rule } from "../rule.ts";
import { PASS } from "../rule.ts";

/**
 * A process whose time is over hands its run to another one. That is no new attempt, so it costs none of the run's
 * retries, as with a run that was suspended and resumed. A retry for which the process would have waited is handed on
 * as well, and stays an attempt of its own.
 */
export const aContinuedRunIsTheSameAttempt: Rule = {
  name: "a-continued-run-is-the-same-attempt",
  from: ["RUNNING", "SCHEDULED"],
  to: ["SCHEDULED"],
  decide: ({ from, to }, { run }) => {
    if (to.name !== CONTINUING) return PASS;
    const isBegun = from?.type === "RUNNING";
    const policy = { ...run.policy, resuming: isBegun || (run.policy.resuming ?? false), retry_type: null };
    return { kind: "pass", patch: { policy } };
  },
};
