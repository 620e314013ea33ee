import { describe, it } from "vitest";
import { FLOW_RUN_POLICY } from "#machine/policies/flow-run";
import { aRunWaitsWhenSlotsAreTaken as rule } from "#machine/rules/a-run-waits-when-slots-are-taken";
import { aProposal, aRun, aState, inSeconds, objections, propose, verdict } from "../../support/builders.ts";

const full = { reservation: { kind: "full", limit: "deployment:etl", heldBy: ["a"] } } as const;

describe("a claim without a free slot", () => {
  it("waits, unless the run holds its slot already", ({ expect }) => {
    const claimants = [null, "SCHEDULED", "COMPLETED", "FAILED", "CANCELLED", "CRASHED"];
    expect(objections(rule, full)).toEqual(
      claimants.map((from) => `${from} → PENDING: REJECT AwaitingConcurrencySlot`),
    );
  });

  it("is due again after 30 s and is offered then", ({ expect }) => {
    const { result, written } = propose(rule, aState("SCHEDULED"), aProposal("PENDING"), full);
    expect(result.state?.state_details.scheduled_time).toBe(inSeconds(30));
    expect(written?.effects.map(({ kind }) => kind)).toContain("offer");
    expect(result.details).toMatchObject({ reason: 'No slot is free in the concurrency limit "deployment:etl".' });
  });

  it("does not send a paused run back to wait, where its process would never look for it", ({ expect }) => {
    const run = aRun({ runCount: 2, policy: { retries: 3, retry_type: "in_process" } });
    const decision = propose(FLOW_RUN_POLICY, aState("PAUSED"), aProposal("PENDING"), { run, ...full });
    expect(verdict(decision)).toBe("KEEP");
  });

  it("does not hinder anything when the slots were granted", ({ expect }) => {
    expect(objections(rule)).toEqual([]);
  });
});
