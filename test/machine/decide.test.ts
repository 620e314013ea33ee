import { describe, it } from "vitest";
import type { Opinion, Policy, Rule, StateSet } from "#machine/rule";
import { FlowRunPolicy } from "#protocol/flow-runs";
import { aProposal, aRun, aState, propose, TRANSITION_ID, verdict } from "../support/builders.ts";

function says(opinion: Opinion, to: StateSet = "any", heard: string[] = []): Rule {
  return {
    name: `says-${opinion.kind}`,
    from: "any",
    to,
    decide: (transition, { run }) => {
      heard.push(`${transition.to.type} ${run.policy.retries}`);
      return opinion;
    },
  };
}

const policy = (...rules: Rule[]): Policy => ({ name: "test", rules });
const retries = (count: number) => ({ policy: FlowRunPolicy.parse({ retries: count }) });
const replace: Opinion = { kind: "replace", to: aProposal("CANCELLED"), because: "instead" };

describe("a decision", () => {
  it.for([
    { opinion: { kind: "pass" }, expected: "ACCEPT" },
    { opinion: { kind: "amend", to: aProposal("RUNNING", { name: "Amended" }) }, expected: "ACCEPT" },
    { opinion: replace, expected: "REJECT Cancelled" },
    { opinion: { kind: "keep", because: "no" }, expected: "KEEP" },
    { opinion: { kind: "wait", delaySeconds: 3, because: "later" }, expected: "WAIT" },
    { opinion: { kind: "abort", because: "stop" }, expected: "ABORT" },
  ] as const)("is $expected where a rule says $opinion.kind", ({ opinion, expected }, { expect }) => {
    const decision = propose(policy(says(opinion)), aState("PENDING"), aProposal("RUNNING"));
    expect(verdict(decision)).toBe(expected);
  });

  it("asks a rule only about what was intended and is still proposed", ({ expect }) => {
    const heard: string[] = [];
    const rules = [
      says(replace),
      says({ kind: "abort", because: "about RUNNING" }, ["RUNNING"], heard),
      says({ kind: "abort", because: "about CANCELLED" }, ["CANCELLED"], heard),
      says({ kind: "pass" }, ["RUNNING", "CANCELLED"], heard),
    ];
    expect(verdict(propose(policy(...rules), aState("PENDING"), aProposal("RUNNING")))).toBe("REJECT Cancelled");
    expect(heard).toEqual(["CANCELLED null"]);
  });

  it("shows the patches of earlier rules to later ones, and writes them", ({ expect }) => {
    const heard: string[] = [];
    const rules = [
      says({ kind: "pass", patch: retries(1) }),
      says({ ...replace, patch: retries(2) }, "any", heard),
      says({ kind: "pass" }, "any", heard),
    ];
    const { written } = propose(policy(...rules), aState("PENDING"), aProposal("RUNNING"));
    expect(heard).toEqual(["RUNNING 1", "CANCELLED 2"]);
    expect(written?.run.policy.retries).toBe(2);
  });

  it.for([
    { kind: "keep", because: "no" },
    { kind: "wait", delaySeconds: 3, because: "later" },
    { kind: "abort", because: "stop" },
  ] as const)("to $kind ends the matter and writes no patch", (opinion, { expect }) => {
    const heard: string[] = [];
    const rules = [says({ kind: "pass", patch: retries(1) }), says(opinion), says({ kind: "pass" }, "any", heard)];
    const current = aState("PENDING");
    const decision = propose(policy(...rules), current, aProposal("RUNNING"));
    expect(decision.written).toBeNull();
    expect(decision.result.state).toEqual(current);
    expect(heard).toEqual([]);
  });

  it("to keep a run that has no state is an ABORT, since a REJECT has a state", ({ expect }) => {
    const { result } = propose(policy(says({ kind: "keep", because: "no" })), null, aProposal("RUNNING"));
    expect(result).toEqual({ status: "ABORT", state: null, details: { type: "abort_details", reason: "no" } });
  });

  it.for([
    { asked: 0.2, delay: 1 },
    { asked: 2.4, delay: 2 },
    { asked: -5, delay: 1 },
  ])("to wait $asked s says $delay whole seconds", ({ asked, delay }, { expect }) => {
    const rule = says({ kind: "wait", delaySeconds: asked, because: "later" });
    const { result } = propose(policy(rule), aState("PENDING"), aProposal("RUNNING"));
    expect(result.details).toMatchObject({ delay_seconds: delay });
  });

  it("tells the reason of the first rule that replaced", ({ expect }) => {
    const second: Opinion = { kind: "replace", to: aProposal("FAILED"), because: "then" };
    const { result } = propose(policy(says(replace), says(second)), aState("PENDING"), aProposal("RUNNING"));
    expect(result).toMatchObject({ state: { type: "FAILED" }, details: { reason: "instead" } });
  });

  it("answers ACCEPT with the whole state that is written", ({ expect }) => {
    const to = aProposal("RUNNING", { details: { transition_id: TRANSITION_ID } });
    const { result, written } = propose(policy(), aState("PENDING"), to);
    expect(result).toEqual({ status: "ACCEPT", state: written?.state, details: { type: "accept_details" } });
    expect(written?.state.state_details.transition_id).toBe(TRANSITION_ID);
  });

  it("changes none of its arguments", ({ expect }) => {
    const from = Object.freeze(aState("RUNNING"));
    const run = Object.freeze(aRun({ runCount: 1, policy: { retries: 1 } }));
    Object.freeze(run.policy);
    const to = Object.freeze(aProposal("FAILED"));
    Object.freeze(to.state_details);
    expect(verdict(propose(policy(says(replace)), from, to, { run }))).toBe("REJECT Cancelled");
  });
});
