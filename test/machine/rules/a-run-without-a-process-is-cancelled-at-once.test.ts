import { describe, it } from "vitest";
import { aRunWithoutAProcessIsCancelledAtOnce as rule } from "#machine/rules/a-run-without-a-process-is-cancelled-at-once";
import { aProposal, aRun, aState, objections, propose, verdict } from "../../support/builders.ts";

const executed = { run: aRun({ infrastructurePid: "host:4711" }) };

describe("a request to cancel", () => {
  it("is done at once where nothing executes the run", ({ expect }) => {
    expect(objections(rule)).toEqual(["SCHEDULED → CANCELLING: REJECT Cancelled"]);
  });

  it("goes to the infrastructure where there is one", ({ expect }) => {
    expect(objections(rule, executed)).toEqual([]);
  });

  it.for([
    { from: aState("SCHEDULED", { name: "Resuming" }), expected: "REJECT Cancelled" },
    {
      from: aState("PAUSED", { name: "Suspended", details: { pause_reschedule: true } }),
      expected: "REJECT Cancelled",
    },
    { from: aState("PAUSED"), expected: "ACCEPT" },
    { from: aState("SCHEDULED", { name: "AwaitingRetry" }), expected: "ACCEPT" },
  ])("of a run in $from.name whose process was known answers $expected", ({ from, expected }, { expect }) => {
    expect(verdict(propose(rule, from, aProposal("CANCELLING"), executed))).toBe(expected);
  });

  it("keeps the message of who cancelled", ({ expect }) => {
    const { result } = propose(
      rule,
      aState("SCHEDULED"),
      aProposal("CANCELLING", { name: "Cancelling", message: "by Ada" }),
    );
    expect(result.state).toMatchObject({ type: "CANCELLED", name: "Cancelled", message: "by Ada" });
  });
});
