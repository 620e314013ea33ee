import type { Rule } from "../rule.ts";

/** Lets a failure stand that no attempt would mend, as its code says, whatever retries remain. */
export const aFinalFailureIsNotRetried: Rule = {
  name: "a-final-failure-is-not-retried",
  from: ["RUNNING"],
  to: ["FAILED"],
  decide: (_, { run }) => ({ kind: "pass", patch: { policy: { ...run.policy, retry_type: null } } }),
};
