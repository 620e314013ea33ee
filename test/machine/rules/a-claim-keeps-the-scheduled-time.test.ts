import { describe, it } from "vitest";
import { aClaimKeepsTheScheduledTime as rule } from "#machine/rules/a-claim-keeps-the-scheduled-time";
import { aProposal, aState, inSeconds, objections, propose } from "../../support/builders.ts";

describe("the scheduled time", () => {
  it("objects to nothing", ({ expect }) => {
    expect(objections(rule)).toEqual([]);
  });

  it.for([
    { known: inSeconds(60), given: null, expected: inSeconds(60) },
    { known: inSeconds(60), given: inSeconds(5), expected: inSeconds(5) },
    { known: null, given: null, expected: null },
  ])("$known and a proposal with $given become $expected", ({ known, given, expected }, { expect }) => {
    const from = aState("SCHEDULED", { details: { scheduled_time: known } });
    const { written } = propose(rule, from, aProposal("PENDING", { details: { scheduled_time: given } }));
    expect(written?.state.state_details.scheduled_time).toBe(expected);
  });

  it("is not carried beyond the claim", ({ expect }) => {
    const from = aState("SCHEDULED", { details: { scheduled_time: inSeconds(60) } });
    expect(propose(rule, from, aProposal("RUNNING")).written?.state.state_details.scheduled_time).toBeNull();
  });
});
