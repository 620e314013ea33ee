import { isTerminal } from "#protocol/states";
import { hasPersistedResult } from "../results.ts";
import type { Rule } from "../rule.ts";
import { PASS } from "../rule.ts";

/**
 * A terminal state is left only by a reschedule, which needs a deployment and must not cost a persisted result (I5).
 *
 * Stricter than Prefect 3.8, which also lets a terminal run become Pending, Running or another terminal state. A
 * COMPLETED run may still be given a result.
 */
export const terminalStatesAreLeftOnlyByReschedule: Rule = {
  name: "terminal-states-are-left-only-by-reschedule",
  from: ["COMPLETED", "FAILED", "CANCELLED", "CRASHED"],
  to: "any",
  decide: ({ from, to }, { run }) => {
    if (from === null) return PASS;
    const because = `Run is already in terminal state ${from.type}.`;
    if (isTerminal(to.type) && to.type !== "CRASHED") {
      const addsResult = from.type === "COMPLETED" && to.type === "COMPLETED" && to.data !== null;
      return addsResult ? PASS : { kind: "keep", because };
    }
    if (to.type !== "SCHEDULED") return { kind: "abort", because };
    if (from.type === "COMPLETED" && hasPersistedResult(from)) {
      return { kind: "keep", because: "Run is already COMPLETED with a persisted result." };
    }
    if (run.deploymentId === null) {
      return { kind: "abort", because: "Cannot reschedule a run without an associated deployment." };
    }
    return PASS;
  },
};
