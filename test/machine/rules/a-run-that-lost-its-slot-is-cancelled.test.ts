import { describe, it } from "vitest";
import { FLOW_RUN_POLICY } from "#machine/policies/flow-run";
import { aRunThatLostItsSlotIsCancelled as rule } from "#machine/rules/a-run-that-lost-its-slot-is-cancelled";
import { aProposal, aState, objections, propose } from "../../support/builders.ts";

const OLD = "00000000-0000-7000-8000-0000000000aa";
const NEW = "00000000-0000-7000-8000-0000000000bb";
const lost = { reservation: { kind: "lost", limit: "deployment:etl" } } as const;

describe("a claimed run that took so long to start that its slot was given away", () => {
  it("is cancelled instead of started", ({ expect }) => {
    expect(objections(rule, lost)).toEqual(["PENDING → RUNNING: REJECT Cancelled"]);
  });

  it("says why", ({ expect }) => {
    const { result } = propose(rule, aState("PENDING"), aProposal("RUNNING"), lost);
    expect(result.state?.message).toContain("slot lost during provisioning");
    expect(result.details).toMatchObject({ reason: "Deployment concurrency limit reached after lease expiry." });
  });

  it("starts under a new lease when it got one", ({ expect }) => {
    const from = aState("PENDING", { details: { deployment_concurrency_lease_id: OLD } });
    const reservation = { kind: "granted", leaseId: NEW } as const;
    const { written } = propose(FLOW_RUN_POLICY, from, aProposal("RUNNING"), { reservation });
    expect(written?.state.state_details.deployment_concurrency_lease_id).toBe(NEW);
  });
});
