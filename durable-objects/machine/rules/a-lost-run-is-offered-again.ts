import type { Rule } from "../rule.ts";

/**
 * A run whose process was lost, and whose deployment says so, waits for another process: whatever it waited for in its own
 * is gone with that. A pause that nobody ended is paused again.
 */
export const aLostRunIsOfferedAgain: Rule = {
  name: "a-lost-run-is-offered-again",
  from: ["RUNNING", "PAUSED", "SCHEDULED"],
  to: ["SCHEDULED"],
  decide: ({ from }, { run }) => {
    const open = from?.type === "PAUSED" ? from.state_details.pause_key : null;
    const pause_keys = (run.policy.pause_keys ?? []).filter((key) => key !== open);
    return { kind: "pass", patch: { policy: { ...run.policy, pause_keys, resuming: false, retry_type: null } } };
  },
};
