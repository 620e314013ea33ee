import { describe, it } from "vitest";
import { aLeaseIdIsCarriedOn } from "#machine/rules/a-lease-id-is-carried-on";
import { STATE_TYPES } from "#protocol/states";
import { aProposal, aState, LEASE_ID, objections, propose } from "../../support/builders.ts";

const OTHER = "0193a000-0000-7000-8000-00000002ea5e";

describe("the id of a concurrency lease", () => {
  it("objects to nothing", ({ expect }) => {
    expect(objections(aLeaseIdIsCarriedOn)).toEqual([]);
  });

  it.for(STATE_TYPES)("is carried from PENDING into %s although the client says null", (type, { expect }) => {
    const from = aState("PENDING", { details: { deployment_concurrency_lease_id: LEASE_ID } });
    const { result } = propose(aLeaseIdIsCarriedOn, from, aProposal(type));
    expect(result).toMatchObject({
      status: "ACCEPT",
      state: { state_details: { deployment_concurrency_lease_id: LEASE_ID } },
    });
  });

  it("gives way to another lease", ({ expect }) => {
    const from = aState("PENDING", { details: { deployment_concurrency_lease_id: LEASE_ID } });
    const to = aProposal("RUNNING", { details: { deployment_concurrency_lease_id: OTHER } });
    const { written } = propose(aLeaseIdIsCarriedOn, from, to);
    expect(written?.state.state_details.deployment_concurrency_lease_id).toBe(OTHER);
  });
});
