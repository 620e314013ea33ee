import { describe, it } from "vitest";
import { aFailedTaskIsRetried as rule } from "#machine/rules/a-failed-task-is-retried";
import {
  aProposal,
  aState,
  aTaskRun,
  inSeconds,
  proposeTask,
  taskObjections,
  verdict,
} from "../../support/builders.ts";

const RETRY = "REJECT AwaitingRetry";

describe("a failed task", () => {
  it("is retried out of RUNNING only", ({ expect }) => {
    const run = aTaskRun({ runCount: 1, policy: { retries: 1, retry_delay: 5 } });
    expect(taskObjections(rule, { run })).toEqual([`RUNNING → FAILED: ${RETRY}`]);
  });

  it.for([
    { runCount: 1, policy: {}, retriable: null, expected: "ACCEPT" },
    { runCount: 1, policy: { retries: 1, retry_delay: 5 }, retriable: null, expected: RETRY },
    { runCount: 2, policy: { retries: 1, retry_delay: 5 }, retriable: null, expected: "ACCEPT" },
    { runCount: 1, policy: { max_retries: 1, retry_delay_seconds: 5 }, retriable: true, expected: RETRY },
    { runCount: 1, policy: { retries: 1, retry_delay: 5 }, retriable: false, expected: "ACCEPT" },
    { runCount: 1, policy: { retries: 1 }, retriable: null, expected: "REJECT Retrying" },
    { runCount: 1, policy: { retries: 1, retry_delay: [] }, retriable: null, expected: "REJECT Retrying" },
    { runCount: 2, policy: { retries: 9, retry_delay: [5, 0] }, retriable: null, expected: "REJECT Retrying" },
  ])(
    "in attempt $runCount under $policy, retriable $retriable, is answered $expected",
    ({ runCount, policy, retriable, expected }, { expect }) => {
      const run = aTaskRun({ runCount, policy });
      const decision = proposeTask(rule, aState("RUNNING"), aProposal("FAILED", { details: { retriable } }), { run });
      expect(verdict(decision)).toBe(expected);
    },
  );

  it.for([
    { runCount: 1, delaySeconds: 1 },
    { runCount: 2, delaySeconds: 10 },
    { runCount: 3, delaySeconds: 60 },
    { runCount: 4, delaySeconds: 60 },
  ])(
    "waits $delaySeconds s after attempt $runCount under a list of delays",
    ({ runCount, delaySeconds }, { expect }) => {
      const run = aTaskRun({ runCount, policy: { retries: 9, retry_delay: [1, 10, 60] } });
      const { written } = proposeTask(rule, aState("RUNNING"), aProposal("FAILED"), { run });
      expect(written?.state.state_details.scheduled_time).toBe(inSeconds(delaySeconds));
    },
  );

  it("that is retried at once runs again, as its next attempt", ({ expect }) => {
    const run = aTaskRun({ runCount: 1, policy: { retries: 1 } });
    const { result, written } = proposeTask(rule, aState("RUNNING"), aProposal("FAILED", { message: "boom" }), { run });
    expect(result.state).toMatchObject({ type: "RUNNING", name: "Retrying", message: "boom" });
    expect(written?.run.runCount).toBe(2);
  });
});
