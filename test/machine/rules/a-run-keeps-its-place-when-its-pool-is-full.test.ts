import { describe, it } from "vitest";
import { FLOW_RUN_POLICY } from "#machine/policies/flow-run";
import { aRunKeepsItsPlaceWhenItsPoolIsFull as rule } from "#machine/rules/a-run-keeps-its-place-when-its-pool-is-full";
import { aProposal, aState, objections, propose } from "../../support/builders.ts";

const full = { reservation: { kind: "no-place", limit: 'work pool "prod"', heldBy: ["a"] } } as const;

describe("a claim for which the pool has no slot", () => {
  it("is refused, unless the run holds its slot already", ({ expect }) => {
    const claimants = [null, "SCHEDULED", "COMPLETED", "FAILED", "CANCELLED", "CRASHED"];
    expect(objections(rule, full)).toEqual(claimants.map((from) => `${from} → PENDING: ABORT`));
  });

  it("changes nothing: the run keeps its time and its place", ({ expect }) => {
    const { result, written } = propose(FLOW_RUN_POLICY, aState("SCHEDULED"), aProposal("PENDING"), full);
    expect(written).toBeNull();
    expect(result.details).toMatchObject({
      reason: 'No slot is free in the work pool "prod"; the run keeps its place in line.',
    });
  });

  it("is no matter when the slots were granted", ({ expect }) => {
    expect(objections(rule)).toEqual([]);
  });
});
