import type { Rule } from "../rule.ts";
import { PASS } from "../rule.ts";

/** A run that no infrastructure executes is cancelled at once: nobody is there to confirm the cancellation. */
export const aRunWithoutAProcessIsCancelledAtOnce: Rule = {
  name: "a-run-without-a-process-is-cancelled-at-once",
  from: ["SCHEDULED", "PAUSED"],
  to: ["CANCELLING"],
  decide: ({ from, to }, { run }) => {
    const suspended = from?.type === "PAUSED" && from.state_details.pause_reschedule;
    const executed = run.infrastructurePid !== null && from?.name !== "Resuming" && !suspended;
    if (executed) return PASS;
    return {
      kind: "replace",
      // A name or a message that the caller chose goes with the cancellation, unless it names the state passed over.
      to: { ...to, type: "CANCELLED", name: to.name === "Cancelling" ? null : to.name },
      because: "The run has no infrastructure to stop: it is cancelled at once.",
    };
  },
};
