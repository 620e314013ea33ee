import { describe, it } from "vitest";
import { aFinishedRunIsLeftOnlyToRunAgain as rule } from "#machine/rules/a-finished-run-is-left-only-to-run-again";
import { aProposal, aRun, aState, objections, propose, verdict } from "../../support/builders.ts";

const TERMINAL = ["COMPLETED", "FAILED", "CANCELLED", "CRASHED"] as const;
const NEVER = ["CRASHED", "PAUSED", "CANCELLING"] as const;

describe("a run that has ended", () => {
  it("is not crashed, paused or cancelled any more; a run that has not ended is free", ({ expect }) => {
    const expected = TERMINAL.flatMap((from) => NEVER.map((to) => `${from} → ${to}: ABORT`));
    const local = { run: aRun({ pooled: false }) };
    expect(objections(rule, local).toSorted()).toEqual(expected.toSorted());
  });

  it("and belongs to a pool runs again only by a reschedule", ({ expect }) => {
    const expected = TERMINAL.flatMap((from) => [...NEVER, "PENDING", "RUNNING"].map((to) => `${from} → ${to}: ABORT`));
    const pooled = { run: aRun({ pooled: true }) };
    expect(objections(rule, pooled).toSorted()).toEqual(expected.toSorted());
  });

  it.for(TERMINAL)("in %s is not rescheduled without a deployment", (from, { expect }) => {
    const { result } = propose(rule, aState(from), aProposal("SCHEDULED"), { run: aRun({ deploymentId: null }) });
    expect(result.details).toEqual({
      type: "abort_details",
      reason: "Cannot reschedule a run without an associated deployment.",
    });
  });

  it.for([
    { data: null, to: "SCHEDULED", expected: "ACCEPT" },
    { data: { type: "unpersisted" }, to: "SCHEDULED", expected: "ACCEPT" },
    { data: { storage_key: "k" }, to: "SCHEDULED", expected: "KEEP" },
    { data: { storage_key: "k" }, to: "RUNNING", expected: "KEEP" },
    { data: { storage_key: "k" }, to: "FAILED", expected: "ACCEPT" },
    { data: "a plain value", to: "SCHEDULED", expected: "ACCEPT" },
    { data: [1, 2], to: "SCHEDULED", expected: "ACCEPT" },
    { data: { storage_key: "k" }, to: "COMPLETED", expected: "KEEP" },
  ] as const)("COMPLETED with $data answers $to with $expected", ({ data, to, expected }, { expect }) => {
    expect(verdict(propose(rule, aState("COMPLETED", { data }), aProposal(to)))).toBe(expected);
  });

  it("may still be given a result", ({ expect }) => {
    const decision = propose(rule, aState("COMPLETED"), aProposal("COMPLETED", { data: { storage_key: "k" } }));
    expect(verdict(decision)).toBe("ACCEPT");
    expect(decision.written?.state.data).toEqual({ storage_key: "k" });
  });
});
