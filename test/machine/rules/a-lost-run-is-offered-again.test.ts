import { describe, it } from "vitest";
import { aLostRunIsOfferedAgain as rule } from "#machine/rules/a-lost-run-is-offered-again";
import { aProposal, aRun, aState, propose } from "../../support/builders.ts";

describe("a lost run that is offered again", () => {
  it("waits for another process, not for its own retry", ({ expect }) => {
    const run = aRun({ policy: { retry_type: "in_process", resuming: true } });
    const verdict = propose(rule, aState("SCHEDULED"), aProposal("SCHEDULED"), { run });
    expect(verdict.written?.run.policy).toMatchObject({ retry_type: null, resuming: false });
  });

  it("is paused again where nobody had ended the pause, and not where somebody had", ({ expect }) => {
    const run = aRun({ policy: { pause_keys: ["over", "open"] } });
    const from = aState("PAUSED", { details: { pause_key: "open" } });
    const verdict = propose(rule, from, aProposal("SCHEDULED"), { run });
    expect(verdict.written?.run.policy.pause_keys).toEqual(["over"]);
  });
});
