import { describe, it } from "vitest";
import { FLOW_RUN_POLICY } from "#machine/policies/flow-run";
import { aRunThatWasTakenBackIsStartedOnce as rule } from "#machine/rules/a-run-that-was-taken-back-is-started-once";
import { aProposal, aState, objections, propose } from "../../support/builders.ts";

const twice = { mayHaveTwoProcesses: true };

describe("the second process of a run whose first claim was taken back", () => {
  it("is told to stop when the other one runs already", ({ expect }) => {
    expect(objections(rule, twice)).toEqual(["RUNNING → RUNNING: ABORT"]);
    const { result, written } = propose(FLOW_RUN_POLICY, aState("RUNNING"), aProposal("RUNNING"), twice);
    expect(written).toBeNull();
    expect(result.details).toMatchObject({
      reason: "The run was claimed twice, and the process of one of the claims runs it already.",
    });
  });

  it("is not looked for where a process may only have been started again", ({ expect }) => {
    expect(objections(rule)).toEqual([]);
  });
});
