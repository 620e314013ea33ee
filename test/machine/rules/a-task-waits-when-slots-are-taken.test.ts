import { describe, it } from "vitest";
import { aTaskWaitsWhenSlotsAreTaken as rule } from "#machine/rules/a-task-waits-when-slots-are-taken";
import { ownedTaskObjections } from "../../support/builders.ts";

const FROM = [
  null,
  "SCHEDULED",
  "PENDING",
  "RUNNING",
  "COMPLETED",
  "FAILED",
  "CANCELLED",
  "CRASHED",
  "PAUSED",
  "CANCELLING",
];

describe("a task whose tags have limits", () => {
  it("waits while one of them is full", ({ expect }) => {
    const tagSlots = { kind: "full", tags: ["db"], retryAfterSeconds: 7.4 } as const;
    const objections = ownedTaskObjections(rule, { tagSlots });
    expect(objections).toHaveLength(FROM.length);
    for (const from of FROM) expect(objections).toContain(`${from} → RUNNING: WAIT`);
  });

  it("stops where one of them is 0", ({ expect }) => {
    const objections = ownedTaskObjections(rule, { tagSlots: { kind: "closed", tag: "db" } });
    for (const from of FROM) expect(objections).toContain(`${from} → RUNNING: ABORT`);
  });

  it("runs with a slot of each", ({ expect }) => {
    expect(ownedTaskObjections(rule)).toEqual([]);
  });
});
