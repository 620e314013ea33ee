import { describe, it } from "vitest";
import { aContinuedRunIsTheSameAttempt as rule } from "#machine/rules/a-continued-run-is-the-same-attempt";
import { aProposal, aRun, aState, objections, propose } from "../../support/builders.ts";

describe("a run whose process hands it on", () => {
  it("is not stopped by this", ({ expect }) => {
    expect(objections(rule)).toEqual([]);
  });

  it.for([
    { name: "Continuing", resuming: true },
    { name: "Scheduled", resuming: false },
    { name: "AwaitingRetry", resuming: false },
  ])("is begun again as the same attempt when it is $name: $resuming", ({ name, resuming }, { expect }) => {
    const { written } = propose(rule, aState("RUNNING"), aProposal("SCHEDULED", { name }));
    expect(written?.run.policy.resuming ?? false).toBe(resuming);
    expect(written?.effects.some(({ kind }) => kind === "offer")).toBe(true);
  });

  it("is offered to others with the retry that it waits for, which counts", ({ expect }) => {
    const run = aRun({ policy: { retry_type: "in_process" } });
    const { written } = propose(rule, aState("SCHEDULED"), aProposal("SCHEDULED", { name: "Continuing" }), { run });
    expect(written?.run.policy).toMatchObject({ retry_type: null, resuming: false });
    expect(written?.effects.some(({ kind }) => kind === "offer")).toBe(true);
  });
});
