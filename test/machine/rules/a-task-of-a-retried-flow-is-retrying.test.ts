import { describe, it } from "vitest";
import { aTaskOfARetriedFlowIsRetrying as rule } from "#machine/rules/a-task-of-a-retried-flow-is-retrying";
import { ALL_FROM, anOwnedTask, aProposal, aState, FLOW_RUN_ID, proposeOwnedTask } from "../../support/builders.ts";

const flowRun = { id: FLOW_RUN_ID, state: aState("RUNNING"), runCount: 2 };

describe("a task that runs again", () => {
  it.for([
    { name: undefined, flowRun, seen: 1, expected: "Retrying" },
    { name: "Running", flowRun, seen: 0, expected: "Retrying" },
    { name: "Mine", flowRun, seen: 1, expected: "Mine" },
    { name: undefined, flowRun, seen: 2, expected: "Running" },
    { name: undefined, flowRun: null, seen: 0, expected: "Running" },
  ])(
    "as $name, having seen attempt $seen of its flow, is $expected",
    ({ name, flowRun, seen, expected }, { expect }) => {
      const run = anOwnedTask({ flowRunRunCount: seen });
      const to = aProposal("RUNNING", name === undefined ? {} : { name });
      expect(proposeOwnedTask(rule, aState("COMPLETED"), to, { run, flowRun }).result.state?.name).toBe(expected);
    },
  );

  it("is renamed out of terminal states only", ({ expect }) => {
    const renamed = ALL_FROM.filter((from) => {
      const { result } = proposeOwnedTask(rule, from && aState(from), aProposal("RUNNING"), { flowRun });
      return result.state?.name === "Retrying";
    });
    expect(renamed).toEqual(["COMPLETED", "FAILED", "CANCELLED", "CRASHED"]);
  });
});
