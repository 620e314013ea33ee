import { describe, it } from "vitest";
import { FORCED_TASK_POLICY } from "#machine/policies/forced-task";
import { aProposal, aState, inSeconds, NOW, proposeOwnedTask } from "../support/builders.ts";

const deferred = aState("SCHEDULED", { details: { deferred: true, scheduled_time: inSeconds(-1) } });

describe("what follows from a state of a task", () => {
  it.for([
    {
      what: "deferred",
      from: null,
      name: "Scheduled",
      details: { deferred: true },
      expected: [{ kind: "enqueue", dueAt: NOW, isRetry: false }],
    },
    {
      what: "deferred for later",
      from: null,
      name: "Scheduled",
      details: { deferred: true, scheduled_time: inSeconds(60) },
      expected: [{ kind: "enqueue", dueAt: NOW + 60_000, isRetry: false }],
    },
    {
      what: "a deferred retry",
      from: aState("RUNNING"),
      name: "AwaitingRetry",
      details: { deferred: true },
      expected: [{ kind: "enqueue", dueAt: NOW, isRetry: true }],
    },
    { what: "not deferred", from: null, name: "Scheduled", details: {}, expected: [] },
    { what: "no longer deferred", from: deferred, name: "Scheduled", details: {}, expected: [{ kind: "dequeue" }] },
  ])("SCHEDULED, $what, is $expected", ({ from, name, details, expected }, { expect }) => {
    const { written } = proposeOwnedTask(FORCED_TASK_POLICY, from, aProposal("SCHEDULED", { name, details }));
    expect(written?.effects).toEqual(expected);
  });

  it.for(["PENDING", "RUNNING", "CANCELLED", "FAILED"] as const)(
    "a waiting task that becomes %s waits no longer",
    (type, { expect }) => {
      expect(proposeOwnedTask(FORCED_TASK_POLICY, deferred, aProposal(type)).written?.effects).toEqual([
        { kind: "dequeue" },
      ]);
      expect(proposeOwnedTask(FORCED_TASK_POLICY, aState("SCHEDULED"), aProposal(type)).written?.effects).toEqual([]);
    },
  );

  it.for([
    { details: { cache_key: "key" }, expected: [{ kind: "remember", cacheKey: "key", expiresAt: null }] },
    {
      details: { cache_key: "key", cache_expiration: inSeconds(60) },
      expected: [{ kind: "remember", cacheKey: "key", expiresAt: NOW + 60_000 }],
    },
    { details: { cache_key: "" }, expected: [] },
    { details: {}, expected: [] },
  ])("COMPLETED with $details is $expected", ({ details, expected }, { expect }) => {
    const { written } = proposeOwnedTask(FORCED_TASK_POLICY, aState("RUNNING"), aProposal("COMPLETED", { details }));
    expect(written?.effects).toEqual(expected);
  });
});
