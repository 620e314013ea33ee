import { describe, it } from "vitest";
import { FLOW_RUN_POLICY } from "#machine/policies/flow-run";
import { aPausedRunResumesOrEnds as rule } from "#machine/rules/a-paused-run-resumes-or-ends";
import { STATE_TYPES } from "#protocol/states";
import { aProposal, aRun, aState, inSeconds, objections, propose, verdict } from "../../support/builders.ts";

describe("a paused run", () => {
  it("goes on, is cancelled or ends", ({ expect }) => {
    expect(objections(rule)).toEqual(["PAUSED → PENDING: KEEP", "PAUSED → PAUSED: KEEP"]);
  });

  it.for(["RUNNING", "SCHEDULED"] as const)("cannot go on into %s after its timeout", (type, { expect }) => {
    const from = aState("PAUSED", { details: { pause_timeout: inSeconds(-0.001) } });
    const { result } = propose(rule, from, aProposal(type));
    expect(result).toMatchObject({
      status: "REJECT",
      state: { type: "FAILED", message: "The flow was paused and never resumed." },
    });
  });

  it.for([
    { timeout: inSeconds(0), to: "RUNNING" },
    { timeout: inSeconds(60), to: "RUNNING" },
    { timeout: inSeconds(-60), to: "CANCELLED" },
    { timeout: inSeconds(-60), to: "CANCELLING" },
  ] as const)("with the timeout $timeout may become $to", ({ timeout, to }, { expect }) => {
    const from = aState("PAUSED", { details: { pause_timeout: timeout } });
    expect(verdict(propose(rule, from, aProposal(to)))).toBe("ACCEPT");
  });

  const NOT_ELIGIBLE = STATE_TYPES.filter((type) => type !== "CANCELLING");
  it.for(NOT_ELIGIBLE)("that was suspended without a deployment does not become %s", (type, { expect }) => {
    const from = aState("PAUSED", { details: { pause_reschedule: true } });
    const decision = propose(rule, from, aProposal(type), { run: aRun({ deploymentId: null }) });
    expect(verdict(decision)).toBe("KEEP");
  });

  it("that was suspended without a deployment is cancelled by CANCELLING", ({ expect }) => {
    const from = aState("PAUSED", { details: { pause_reschedule: true } });
    const { result } = propose(FLOW_RUN_POLICY, from, aProposal("CANCELLING"), { run: aRun({ deploymentId: null }) });
    expect(result).toMatchObject({ status: "REJECT", state: { type: "CANCELLED" } });
  });

  it("goes on in a new process without counting as a new run", ({ expect }) => {
    const run = aRun({ runCount: 1 });
    const suspended = aState("PAUSED", { details: { pause_reschedule: true } });
    const scheduled = propose(FLOW_RUN_POLICY, suspended, aProposal("SCHEDULED", { name: "Resuming" }), {
      run,
    }).written;
    const pending = propose(FLOW_RUN_POLICY, scheduled?.state ?? null, aProposal("PENDING"), {
      run: scheduled?.run ?? run,
    }).written;
    const running = propose(FLOW_RUN_POLICY, pending?.state ?? null, aProposal("RUNNING"), {
      run: pending?.run ?? run,
    }).written;
    expect([scheduled, pending, running].map((step) => [step?.run.policy.resuming, step?.run.runCount])).toEqual([
      [true, 1],
      [true, 1],
      [false, 1],
    ]);
  });
});
