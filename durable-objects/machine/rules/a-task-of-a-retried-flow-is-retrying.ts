import { defaultStateName } from "#protocol/states";
import type { OwnedTaskRule } from "../rule.ts";
import { PASS } from "../rule.ts";

/** A finished task that runs again because its flow does says so, unless the caller chose a name. */
export const aTaskOfARetriedFlowIsRetrying: OwnedTaskRule = {
  name: "a-task-of-a-retried-flow-is-retrying",
  from: ["COMPLETED", "FAILED", "CANCELLED", "CRASHED"],
  to: ["RUNNING"],
  decide: ({ to }, { run, flowRun }) => {
    const named = to.name && to.name !== defaultStateName("RUNNING");
    if (named || flowRun === null || run.flowRunRunCount >= flowRun.runCount) return PASS;
    return { kind: "amend", to: { ...to, name: "Retrying" } };
  },
};
