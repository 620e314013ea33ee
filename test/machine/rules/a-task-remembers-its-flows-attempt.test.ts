import { describe, it } from "vitest";
import { aTaskRemembersItsFlowsAttempt as rule } from "#machine/rules/a-task-remembers-its-flows-attempt";
import { STATE_TYPES } from "#protocol/states";
import {
  anOwnedTask,
  aProposal,
  aState,
  FLOW_RUN_ID,
  ownedTaskObjections,
  proposeOwnedTask,
} from "../../support/builders.ts";

const flowRun = { id: FLOW_RUN_ID, state: aState("RUNNING"), runCount: 3 };

describe("the flow's attempt", () => {
  it("is noted without objecting to anything", ({ expect }) => {
    expect(ownedTaskObjections(rule, { flowRun })).toEqual([]);
  });

  it.for(STATE_TYPES)("is noted or not when the task becomes %s", (type, { expect }) => {
    const run = anOwnedTask({ flowRunRunCount: 1 });
    const { written } = proposeOwnedTask(rule, null, aProposal(type), { run, flowRun });
    expect(written?.run.flowRunRunCount).toBe(type === "RUNNING" ? 3 : 1);
  });

  it("stays as it is outside a flow", ({ expect }) => {
    const run = anOwnedTask({ flowRunRunCount: 1 });
    const { written } = proposeOwnedTask(rule, null, aProposal("RUNNING"), { run, flowRun: null });
    expect(written?.run.flowRunRunCount).toBe(1);
  });
});
