import { describe, it } from "vitest";
import { FLOW_RUN_POLICY } from "#machine/policies/flow-run";
import { aRunWaitsWhenSlotsAreTaken as rule } from "#machine/rules/a-run-waits-when-slots-are-taken";
import type { EpochMs } from "#protocol/time";
import { aProposal, aRun, aState, inSeconds, NOW, objections, propose, verdict } from "../../support/builders.ts";

const retryAt = (NOW + 45_000) as EpochMs;
const full = { reservation: { kind: "full", limit: "deployment:etl", collision: "wait", retryAt } } as const;
const cancels = { reservation: { kind: "full", limit: "deployment:etl", collision: "cancel" } } as const;
const closed = { reservation: { kind: "closed", limit: "deployment:etl" } } as const;
const CLAIMANTS = [null, "SCHEDULED", "COMPLETED", "FAILED", "CANCELLED", "CRASHED"];

describe("a claim without a free slot", () => {
  it("waits, unless the run holds its slot already", ({ expect }) => {
    expect(objections(rule, full)).toEqual(
      CLAIMANTS.map((from) => `${from} → PENDING: REJECT AwaitingConcurrencySlot`),
    );
  });

  it("is due again when the shell says, and is offered then", ({ expect }) => {
    const { result, written } = propose(rule, aState("SCHEDULED"), aProposal("PENDING"), full);
    expect(result.state?.state_details.scheduled_time).toBe(inSeconds(45));
    expect(written?.effects.map(({ kind }) => kind)).toContain("offer");
    expect(result.state?.message).toBe('No slot is free in the concurrency limit "deployment:etl".');
    expect(result.details).toMatchObject({ reason: "Deployment concurrency limit reached." });
  });

  it("is cancelled where the deployment wants that", ({ expect }) => {
    expect(objections(rule, cancels)).toEqual(CLAIMANTS.map((from) => `${from} → PENDING: REJECT Cancelled`));
    const { result } = propose(rule, aState("SCHEDULED"), aProposal("PENDING"), cancels);
    expect(result.state?.message).toBe("Deployment concurrency limit reached.");
  });

  it("is stopped by a limit of 0", ({ expect }) => {
    expect(objections(rule, closed)).toEqual(CLAIMANTS.map((from) => `${from} → PENDING: ABORT`));
  });

  it("does not send a paused run back to wait, where its process would never look for it", ({ expect }) => {
    const run = aRun({ runCount: 2, policy: { retries: 3, retry_type: "in_process" } });
    const decision = propose(FLOW_RUN_POLICY, aState("PAUSED"), aProposal("PENDING"), { run, ...full });
    expect(verdict(decision)).toBe("KEEP");
  });

  it("remembers the lease that was granted, and no earlier one", ({ expect }) => {
    const stale = { deployment_concurrency_lease_id: "00000000-0000-7000-8000-0000000000aa" };
    for (const leaseId of ["00000000-0000-7000-8000-0000000000bb", null]) {
      const reservation = { kind: "granted", leaseId } as const;
      const { written } = propose(FLOW_RUN_POLICY, aState("SCHEDULED", { details: stale }), aProposal("PENDING"), {
        reservation,
      });
      expect(written?.state.state_details.deployment_concurrency_lease_id).toBe(leaseId);
    }
  });

  it("does not hinder anything when the slots were granted", ({ expect }) => {
    expect(objections(rule)).toEqual([]);
  });
});
