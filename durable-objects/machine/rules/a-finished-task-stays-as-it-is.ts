import { isTerminal } from "#protocol/states";
import { hasPersistedResult } from "../results.ts";
import type { TaskRule } from "../rule.ts";
import { PASS } from "../rule.ts";

/**
 * A finished task is not changed by latecomers, and not run again when its result is stored. Otherwise it may start
 * anew, which happens when its flow is run again; its retries then count from the beginning.
 */
export const aFinishedTaskStaysAsItIs: TaskRule = {
  name: "a-finished-task-stays-as-it-is",
  from: ["COMPLETED", "FAILED", "CANCELLED", "CRASHED"],
  to: "any",
  decide: ({ from, to }) => {
    if (from === null) return PASS;
    if (to.type === "CANCELLING" || to.type === "PAUSED" || to.type === "CRASHED") {
      return { kind: "abort", because: `Run is already ${from.type}.` };
    }
    if (isTerminal(to.type)) return { kind: "keep", because: `Run is already ${from.type}.` };
    if (from.type === "COMPLETED" && hasPersistedResult(from)) {
      return { kind: "keep", because: "Run is already COMPLETED with a persisted result." };
    }
    return { kind: "pass", patch: { runCount: 0 } };
  },
};
