import { describe, it } from "vitest";
import { aFailedTaskAwaitsItsRetry as rule } from "#machine/rules/a-failed-task-awaits-its-retry";
import {
  anOwnedTask,
  aProposal,
  aState,
  inSeconds,
  ownedTaskObjections,
  proposeOwnedTask,
  verdict,
} from "../../support/builders.ts";

const RETRY = "REJECT AwaitingRetry";

describe("a task whose failure is reported to its owner", () => {
  it("is retried out of RUNNING only", ({ expect }) => {
    const run = anOwnedTask({ runCount: 1, policy: { retries: 1 } });
    expect(ownedTaskObjections(rule, { run })).toEqual([`RUNNING → FAILED: ${RETRY}`]);
  });

  it.for([
    { runCount: 1, policy: {}, retriable: null, expected: "ACCEPT" },
    { runCount: 1, policy: { retries: 1 }, retriable: null, expected: RETRY },
    { runCount: 2, policy: { retries: 1 }, retriable: null, expected: "ACCEPT" },
    { runCount: 2, policy: { max_retries: 2, retry_delay_seconds: 5 }, retriable: true, expected: RETRY },
    { runCount: 1, policy: { retries: 1 }, retriable: false, expected: "ACCEPT" },
  ])("in attempt $runCount under $policy, retriable $retriable, is answered $expected", (row, { expect }) => {
    const run = anOwnedTask({ runCount: row.runCount, policy: row.policy });
    const to = aProposal("FAILED", { details: { retriable: row.retriable } });
    expect(verdict(proposeOwnedTask(rule, aState("RUNNING"), to, { run }))).toBe(row.expected);
  });

  it.for([
    { policy: { retries: 9 }, runCount: 1, delaySeconds: 0 },
    { policy: { retries: 9, retry_delay: 7 }, runCount: 3, delaySeconds: 7 },
    { policy: { retries: 9, retry_delay: [1, 10] }, runCount: 1, delaySeconds: 1 },
    { policy: { retries: 9, retry_delay: [1, 10] }, runCount: 5, delaySeconds: 10 },
  ])(
    "waits $delaySeconds s after attempt $runCount under $policy",
    ({ policy, runCount, delaySeconds }, { expect }) => {
      const run = anOwnedTask({ runCount, policy });
      const { written } = proposeOwnedTask(rule, aState("RUNNING"), aProposal("FAILED", { message: "boom" }), { run });
      expect(written?.state).toMatchObject({ type: "SCHEDULED", message: "boom" });
      expect(written?.state.state_details.scheduled_time).toBe(inSeconds(delaySeconds));
    },
  );

  it.for([0, 0.5, 0.999])("waits at most its delay and the jitter's share of it, drawn as %f", (random, { expect }) => {
    const run = anOwnedTask({ runCount: 1, policy: { retries: 1, retry_delay: 10, retry_jitter_factor: 0.5 } });
    const { written } = proposeOwnedTask(rule, aState("RUNNING"), aProposal("FAILED"), { run, random });
    const dueAt = written?.state.state_details.scheduled_time ?? "";
    expect(dueAt > inSeconds(0) && dueAt <= inSeconds(15)).toBe(true);
  });
});
