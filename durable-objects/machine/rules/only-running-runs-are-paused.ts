import type { Rule } from "../rule.ts";
import { PASS } from "../rule.ts";

/**
 * A run is paused out of RUNNING, and once by each pause of its code: the pause key says which. Suspending
 * (`pause_reschedule`) ends the process, so it needs a deployment that makes another one.
 */
export const onlyRunningRunsArePaused: Rule = {
  name: "only-running-runs-are-paused",
  from: "any",
  to: ["PAUSED"],
  decide: ({ from, to }, { run }) => {
    if (from === null) return { kind: "abort", because: "Cannot pause a run that has no state." };
    if (from.type !== "RUNNING") return { kind: "keep", because: "Cannot pause a run that is not running." };
    const { pause_key: key, pause_reschedule: suspends } = to.state_details;
    const keys = run.policy.pause_keys ?? [];
    if (key !== null && keys.includes(key)) return { kind: "keep", because: "This pause has already fired." };
    if (suspends && run.parentTaskRunId !== null) return { kind: "abort", because: "Cannot suspend subflows." };
    if (suspends && run.deploymentId === null) {
      return { kind: "abort", because: "Cannot suspend a run without an associated deployment." };
    }
    return key === null ? PASS : { kind: "pass", patch: { policy: { ...run.policy, pause_keys: [...keys, key] } } };
  },
};
