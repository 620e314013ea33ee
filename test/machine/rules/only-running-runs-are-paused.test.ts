import { describe, it } from "vitest";
import { onlyRunningRunsArePaused as rule } from "#machine/rules/only-running-runs-are-paused";
import { aProposal, aRun, aState, objections, propose, TASK_RUN_ID, verdict } from "../../support/builders.ts";

describe("a pause", () => {
  it("needs a running run", ({ expect }) => {
    const others = ["SCHEDULED", "PENDING", "COMPLETED", "FAILED", "CANCELLED", "CRASHED", "PAUSED", "CANCELLING"];
    expect(objections(rule)).toEqual(["null → PAUSED: ABORT", ...others.map((from) => `${from} → PAUSED: KEEP`)]);
  });

  it.for([
    { fired: [], key: "one", expected: "ACCEPT", after: ["one"] },
    { fired: ["one"], key: "one", expected: "KEEP", after: undefined },
    { fired: ["one"], key: "two", expected: "ACCEPT", after: ["one", "two"] },
    { fired: ["one"], key: null, expected: "ACCEPT", after: ["one"] },
    { fired: null, key: "one", expected: "ACCEPT", after: ["one"] },
  ])("with key $key after $fired is answered $expected", ({ fired, key, expected, after }, { expect }) => {
    const run = aRun({ policy: { pause_keys: fired } });
    const decision = propose(rule, aState("RUNNING"), aProposal("PAUSED", { details: { pause_key: key } }), { run });
    expect(verdict(decision)).toBe(expected);
    expect(decision.written?.run.policy.pause_keys).toEqual(after);
  });

  it.for([
    { run: aRun({ parentTaskRunId: TASK_RUN_ID }), what: "a subflow", expected: "ABORT" },
    { run: aRun({ deploymentId: null }), what: "a run without a deployment", expected: "ABORT" },
    { run: aRun(), what: "a run of a deployment", expected: "ACCEPT" },
  ])("that suspends $what is answered $expected", ({ run, expected }, { expect }) => {
    const to = aProposal("PAUSED", { details: { pause_reschedule: true } });
    expect(verdict(propose(rule, aState("RUNNING"), to, { run }))).toBe(expected);
  });
});
