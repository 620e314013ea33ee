import { describe, it } from "vitest";
import { aResultIsNotLost as rule } from "#machine/rules/a-result-is-not-lost";
import { aProposal, aState, objections, propose, verdict } from "../../support/builders.ts";

const KEPT = { storage_key: "k" };
const GONE = { type: "unpersisted" };

describe("a stored result", () => {
  it("is not there to be lost in runs without data", ({ expect }) => {
    expect(objections(rule)).toEqual([]);
  });

  it.for([
    { had: KEPT, brings: null, expected: "KEEP" },
    { had: KEPT, brings: GONE, expected: "KEEP" },
    { had: KEPT, brings: { storage_key: "l" }, expected: "ACCEPT" },
    { had: GONE, brings: null, expected: "ACCEPT" },
    { had: null, brings: KEPT, expected: "ACCEPT" },
  ])("$had and a COMPLETED with $brings are answered $expected", ({ had, brings, expected }, { expect }) => {
    const decision = propose(rule, aState("COMPLETED", { data: had }), aProposal("COMPLETED", { data: brings }));
    expect(verdict(decision)).toBe(expected);
  });
});
