import { describe, it } from "vitest";
import { aFailedRunIsRetried as rule } from "#machine/rules/a-failed-run-is-retried";
import { aProposal, aRun, aState, inSeconds, objections, propose, verdict } from "../../support/builders.ts";

describe("a failed run", () => {
  it("is retried out of RUNNING only", ({ expect }) => {
    const run = aRun({ runCount: 1, policy: { retries: 1 } });
    expect(objections(rule, { run })).toEqual(["RUNNING → FAILED: REJECT AwaitingRetry"]);
  });

  it.for([
    { runCount: 1, policy: {}, expected: "ACCEPT" },
    { runCount: 1, policy: { retries: 0 }, expected: "ACCEPT" },
    { runCount: 1, policy: { retries: 1 }, expected: "REJECT AwaitingRetry" },
    { runCount: 2, policy: { retries: 1 }, expected: "ACCEPT" },
    { runCount: 3, policy: { retries: 3 }, expected: "REJECT AwaitingRetry" },
    { runCount: 2, policy: { max_retries: 2 }, expected: "REJECT AwaitingRetry" },
  ])("in attempt $runCount under $policy is answered $expected", ({ runCount, policy, expected }, { expect }) => {
    const run = aRun({ runCount, policy });
    expect(verdict(propose(rule, aState("RUNNING"), aProposal("FAILED"), { run }))).toBe(expected);
  });

  it("waits in its own process, seen by no worker, and keeps its slot", ({ expect }) => {
    const policy = { retries: 2, retry_delay: 30, pause_keys: ["one"], resuming: true };
    const run = aRun({ runCount: 1, policy });
    const failed = aProposal("FAILED", { message: "boom", data: { why: "boom" } });
    const { result, written } = propose(rule, aState("RUNNING"), failed, { run });
    expect(result.state).toMatchObject({
      type: "SCHEDULED",
      message: "boom",
      data: { why: "boom" },
      state_details: { scheduled_time: inSeconds(30) },
    });
    expect(written?.run.policy).toMatchObject({ retry_type: "in_process", pause_keys: [], resuming: false });
    expect(written?.effects.map(({ kind }) => kind)).toEqual(["event"]);
  });

  it("without a retry left is no longer marked as retried in process", ({ expect }) => {
    const run = aRun({ runCount: 3, policy: { retries: 2, retry_type: "in_process" } });
    const { written } = propose(rule, aState("RUNNING"), aProposal("FAILED"), { run });
    expect(written?.run.policy.retry_type).toBeNull();
  });
});
