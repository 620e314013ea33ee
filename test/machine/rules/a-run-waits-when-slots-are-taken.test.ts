import { describe, it } from "vitest";
import { aRunWaitsWhenSlotsAreTaken as rule } from "#machine/rules/a-run-waits-when-slots-are-taken";
import { aProposal, aState, inSeconds, objections, propose } from "../../support/builders.ts";

const full = { reservation: { kind: "full", limit: "deployment:etl", heldBy: ["a"] } } as const;

describe("a claim without a free slot", () => {
  it("waits, unless the run holds its slot already", ({ expect }) => {
    const claimants = [null, "SCHEDULED", "COMPLETED", "FAILED", "CANCELLED", "CRASHED", "PAUSED"];
    expect(objections(rule, full)).toEqual(
      claimants.map((from) => `${from} → PENDING: REJECT AwaitingConcurrencySlot`),
    );
  });

  it("is due again after 30 s and is offered then", ({ expect }) => {
    const { result, written } = propose(rule, aState("SCHEDULED"), aProposal("PENDING"), full);
    expect(result.state?.state_details.scheduled_time).toBe(inSeconds(30));
    expect(written?.effects.map(({ kind }) => kind)).toEqual(["offer"]);
    expect(result.details).toMatchObject({ reason: 'No slot is free in the concurrency limit "deployment:etl".' });
  });

  it("does not hinder anything when the slots were granted", ({ expect }) => {
    expect(objections(rule)).toEqual([]);
  });
});
