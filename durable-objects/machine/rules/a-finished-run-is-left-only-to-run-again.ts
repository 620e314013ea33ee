import { isTerminal } from "#protocol/states";
import { hasPersistedResult } from "../results.ts";
import type { Rule } from "../rule.ts";
import { PASS } from "../rule.ts";

/**
 * What has ended is not cancelled, paused or crashed any more, keeps a persisted result, and runs again only when
 * somebody says so (I5): by a reschedule, which needs a deployment, or, where no pool has a say, by whoever runs it.
 *
 * Stricter than Prefect 3.8 in one point: a run of a pool is rescheduled first, never set to PENDING or RUNNING out of
 * a terminal state. A worker with an old list, or a process that was given up, would otherwise execute it a second time.
 */
export const aFinishedRunIsLeftOnlyToRunAgain: Rule = {
  name: "a-finished-run-is-left-only-to-run-again",
  from: ["COMPLETED", "FAILED", "CANCELLED", "CRASHED"],
  to: "any",
  decide: ({ from, to }, { run }) => {
    if (from === null) return PASS;
    if (to.type === "CANCELLING" || to.type === "PAUSED" || to.type === "CRASHED") {
      return { kind: "abort", because: `Run is already in terminal state ${from.type}.` };
    }
    if (from.type === "COMPLETED" && hasPersistedResult(from)) {
      if (!isTerminal(to.type)) return { kind: "keep", because: "Run is already COMPLETED." };
      if (to.type === "COMPLETED" && !hasPersistedResult(to)) {
        return { kind: "keep", because: "Run is already COMPLETED with a persisted result, which would be lost." };
      }
    }
    if (to.type === "SCHEDULED" && run.deploymentId === null) {
      return { kind: "abort", because: "Cannot reschedule a run without an associated deployment." };
    }
    if (run.pooled && (to.type === "PENDING" || to.type === "RUNNING")) {
      const because = `Run is in terminal state ${from.type}: reschedule it, so that its work pool runs it again.`;
      return { kind: "abort", because };
    }
    return PASS;
  },
};
