import { describe, it } from "vitest";
import { LATE_POLICY } from "#machine/policies/late";
import { aLateRunIsCancelledWhenSlotsAreTaken as rule } from "#machine/rules/a-late-run-is-cancelled-when-slots-are-taken";
import type { EpochMs } from "#protocol/time";
import { aProposal, aState, NOW, objections, propose, verdict } from "../../support/builders.ts";

const LATE = aProposal("SCHEDULED", { name: "Late" });
const cancels = { reservation: { kind: "full", limit: "deployment:etl", collision: "cancel" } } as const;
const waits = {
  reservation: { kind: "full", limit: "deployment:etl", collision: "wait", retryAt: NOW as EpochMs },
} as const;

describe("a late run of a deployment whose slots are taken", () => {
  it("is cancelled where the deployment wants that", ({ expect }) => {
    const decision = propose(rule, aState("SCHEDULED"), LATE, cancels);
    expect(verdict(decision)).toBe("REJECT Cancelled");
    expect(decision.result).toMatchObject({
      state: { message: "Deployment concurrency limit reached." },
      details: { reason: "Deployment concurrency limit is full and uses the CANCEL_NEW strategy." },
    });
  });

  it.for([
    { what: "others let it wait", facts: waits },
    { what: "there is a slot", facts: {} },
  ])("is late where $what", ({ facts }, { expect }) => {
    expect(verdict(propose(rule, aState("SCHEDULED"), LATE, facts))).toBe("ACCEPT");
  });

  it("is left alone when somebody took it meanwhile, or it is marked already", ({ expect }) => {
    for (const from of [aState("PENDING"), aState("RUNNING"), aState("SCHEDULED", { name: "Late" })]) {
      expect(verdict(propose(LATE_POLICY, from, LATE, cancels))).toBe("KEEP");
    }
  });

  it("is all this speaks about", ({ expect }) => {
    expect(objections(rule, cancels)).toEqual([]);
  });
});
