import { describe, it } from "vitest";
import { aRescheduledRunIsOfferedAgain as rule } from "#machine/rules/a-rescheduled-run-is-offered-again";
import { aProposal, aRun, aState, objections, propose } from "../../support/builders.ts";

const run = aRun({ policy: { retry_type: "in_process" } });

describe("a run that was retried in its process before", () => {
  it("is not stopped by this", ({ expect }) => {
    expect(objections(rule, { run })).toEqual([]);
  });

  it.for([
    { from: "RUNNING", offered: true },
    { from: "PENDING", offered: true },
    { from: "PAUSED", offered: true },
    { from: "CANCELLING", offered: true },
    // The process that waits for the retry may be alive.
    { from: "SCHEDULED", offered: false },
  ] as const)("is offered when it is scheduled out of $from: $offered", ({ from, offered }, { expect }) => {
    const { written } = propose(rule, aState(from), aProposal("SCHEDULED"), { run });
    expect(written?.effects.some(({ kind }) => kind === "offer")).toBe(offered);
    expect(written?.run.policy.retry_type).toBe(offered ? null : "in_process");
  });
});
