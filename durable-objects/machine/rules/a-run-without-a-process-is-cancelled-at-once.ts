import type { Rule } from "../rule.ts";
import { PASS } from "../rule.ts";

/**
 * A run that no infrastructure executes is cancelled at once: nobody is there to confirm the cancellation. A paused run
 * that was not suspended has a process, which waits.
 */
export const aRunWithoutAProcessIsCancelledAtOnce: Rule = {
  name: "a-run-without-a-process-is-cancelled-at-once",
  from: ["SCHEDULED", "PAUSED"],
  to: ["CANCELLING"],
  decide: ({ from, to }, { run }) => {
    if (from === null) return PASS;
    const executed =
      from.type === "PAUSED"
        ? !from.state_details.pause_reschedule
        : run.infrastructurePid !== null && from.name !== "Resuming";
    if (executed) return PASS;
    return {
      kind: "replace",
      // A name or a message that the caller chose goes with the cancellation, unless it names the state passed over.
      to: { ...to, type: "CANCELLED", name: to.name === "Cancelling" ? null : to.name },
      because: "The run has no infrastructure to stop: it is cancelled at once.",
    };
  },
};
