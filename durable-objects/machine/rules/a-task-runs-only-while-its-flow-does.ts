import { NO_DETAILS } from "#protocol/states";
import type { OwnedTaskRule } from "../rule.ts";
import { PASS } from "../rule.ts";

/** A task of a flow that is paused waits with it; one of a flow that does not run does not begin. */
export const aTaskRunsOnlyWhileItsFlowDoes: OwnedTaskRule = {
  name: "a-task-runs-only-while-its-flow-does",
  from: "any",
  to: ["RUNNING"],
  decide: (_, { flowRun }) => {
    if (flowRun === null || flowRun.state?.type === "RUNNING") return PASS;
    if (flowRun.state?.type !== "PAUSED") {
      return { kind: "abort", because: "The enclosing flow must be running to begin task execution." };
    }
    const { pause_timeout, pause_reschedule } = flowRun.state.state_details;
    return {
      kind: "replace",
      to: {
        type: "PAUSED",
        name: "NotReady",
        message: null,
        data: null,
        state_details: { ...NO_DETAILS, pause_timeout, pause_reschedule },
      },
      because: `The flow is paused, new tasks can execute after resuming flow run: ${flowRun.id}.`,
    };
  },
};
