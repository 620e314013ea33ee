import { CONTINUING } from "#protocol/states";
import type { Rule } from "../rule.ts";
import { PASS } from "../rule.ts";

/**
 * A process whose time is over hands its run to another one. That is no new attempt, so it costs none of the run's
 * retries, as with a run that was suspended and resumed.
 */
export const aContinuedRunIsTheSameAttempt: Rule = {
  name: "a-continued-run-is-the-same-attempt",
  from: ["RUNNING"],
  to: ["SCHEDULED"],
  decide: ({ to }, { run }) =>
    to.name === CONTINUING ? { kind: "pass", patch: { policy: { ...run.policy, resuming: true } } } : PASS,
};
