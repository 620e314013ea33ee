import { describe, it } from "vitest";
import { aRunIsClaimedByOne as rule } from "#machine/rules/a-run-is-claimed-by-one";
import { aProposal, aState, inSeconds, LEASE_ID, objections, propose, verdict } from "../../support/builders.ts";

describe("a claim", () => {
  it("is refused while the run is claimed, running, stopping or cancelled", ({ expect }) => {
    expect(objections(rule)).toEqual(
      ["PENDING", "RUNNING", "CANCELLED", "CANCELLING"].map((from) => `${from} → PENDING: ABORT`),
    );
  });

  it.for([
    { held: "Pending", name: "Pending", expected: "ABORT" },
    { held: "Submitting", name: "Pending", expected: "ABORT" },
    { held: "Submitting", name: "Submitting", expected: "ABORT" },
    { held: "Pending", name: "Submitting", expected: "ACCEPT" },
    { held: "Submitting", name: "InfrastructurePending", expected: "ACCEPT" },
  ])("named $held that is proposed as $name is answered $expected", ({ held, name, expected }, { expect }) => {
    const decision = propose(rule, aState("PENDING", { name: held }), aProposal("PENDING", { name }));
    expect(verdict(decision)).toBe(expected);
  });

  it("keeps its scheduled time and its lease under a new name", ({ expect }) => {
    const details = { scheduled_time: inSeconds(30), deployment_concurrency_lease_id: LEASE_ID };
    const { written } = propose(rule, aState("PENDING", { details }), aProposal("PENDING", { name: "Submitting" }));
    expect(written?.state.state_details).toMatchObject(details);
  });

  it("tells the second worker why", ({ expect }) => {
    const { result } = propose(rule, aState("PENDING"), aProposal("PENDING"));
    expect(result.details).toEqual({
      type: "abort_details",
      reason: "This run is in a PENDING state and cannot transition to a PENDING state.",
    });
  });
});
