import { describe, it } from "vitest";
import { onlyScheduledRunsAreMarkedLate as rule } from "#machine/rules/only-scheduled-runs-are-marked-late";
import { ALL_FROM, aProposal, aState, objections, propose, verdict } from "../../support/builders.ts";

describe("the mark Late", () => {
  it("is all this speaks about", ({ expect }) => {
    expect(objections(rule)).toEqual([]);
  });

  it.for(
    ALL_FROM.map((from) => ({ from, expected: from === null ? "ABORT" : from === "SCHEDULED" ? "ACCEPT" : "KEEP" })),
  )("on a run in $from is answered $expected", ({ from, expected }, { expect }) => {
    const decision = propose(rule, from === null ? null : aState(from), aProposal("SCHEDULED", { name: "Late" }));
    expect(verdict(decision)).toBe(expected);
  });

  it("is made once", ({ expect }) => {
    const decision = propose(rule, aState("SCHEDULED", { name: "Late" }), aProposal("SCHEDULED", { name: "Late" }));
    expect(verdict(decision)).toBe("KEEP");
  });
});
