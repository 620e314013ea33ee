import { describe, it } from "vitest";
import { ownRunPolicy } from "#machine/policies/flow-run";
import { aFinalFailureIsNotRetried as rule } from "#machine/rules/a-final-failure-is-not-retried";
import { aProposal, aRun, aState, propose } from "../../support/builders.ts";

describe("a final failure", () => {
  it("stands, and its run is no longer marked as retried in process", ({ expect }) => {
    const run = aRun({ runCount: 1, policy: { retries: 2, retry_type: "in_process" } });
    const { result, written } = propose(rule, aState("RUNNING"), aProposal("FAILED"), { run });
    expect([result.status, written?.state.type]).toEqual(["ACCEPT", "FAILED"]);
    expect(written?.run.policy).toMatchObject({ retries: 2, retry_type: null });
  });

  it.for([
    { type: "FAILED", retriable: false, name: "final-failure" },
    { type: "FAILED", retriable: true, name: "flow-run" },
    { type: "FAILED", retriable: null, name: "flow-run" },
    { type: "CRASHED", retriable: false, name: "flow-run" },
  ] as const)("is $type with retriable $retriable: $name", ({ type, retriable, name }, { expect }) => {
    expect(ownRunPolicy(aProposal(type, { details: { retriable } })).name).toBe(name);
  });
});
