import { describe, it } from "vitest";
import { FLOW_RUN_POLICY } from "#machine/policies/flow-run";
import { preventDuplicateTransitions } from "#machine/rules/prevent-duplicate-transitions";
import { STATE_TYPES } from "#protocol/states";
import { aProposal, aRun, aState, objections, propose, TRANSITION_ID, verdict } from "../../support/builders.ts";

const details = { transition_id: TRANSITION_ID };

describe("a repeated transition", () => {
  it("is not seen in proposals that carry no id", ({ expect }) => {
    expect(objections(preventDuplicateTransitions)).toEqual([]);
  });

  it.for(STATE_TYPES)("into %s is answered with what the first one became", (type, { expect }) => {
    const current = aState("RUNNING", { details });
    const decision = propose(preventDuplicateTransitions, current, aProposal(type, { details }));
    expect(verdict(decision)).toBe("KEEP");
    expect(decision.result.state).toEqual(current);
  });

  it.for([
    { first: null, second: TRANSITION_ID },
    { first: TRANSITION_ID, second: null },
    { first: null, second: null },
    { first: TRANSITION_ID, second: "0193a000-0000-7000-8000-000000007a46" },
  ])("is not one when the ids are $first and $second", ({ first, second }, { expect }) => {
    const from = aState("RUNNING", { details: { transition_id: first } });
    const to = aProposal("RUNNING", { details: { transition_id: second } });
    expect(verdict(propose(preventDuplicateTransitions, from, to))).toBe("ACCEPT");
  });

  it("that failed and is retried is answered with the wait for its retry, and is not failed after all", ({
    expect,
  }) => {
    const run = aRun({ runCount: 1, policy: { retries: 3, retry_delay: 60 } });
    const failed = aProposal("FAILED", { details });
    const first = propose(FLOW_RUN_POLICY, aState("RUNNING"), failed, { run });
    const waiting = first.written?.state ?? null;
    const again = propose(FLOW_RUN_POLICY, waiting, failed, { run: first.written?.run ?? run });
    expect([verdict(first), verdict(again)]).toEqual(["REJECT AwaitingRetry", "KEEP"]);
    expect(again.result.state).toEqual(waiting);
  });
});
