import { describe, it } from "vitest";
import { aFinishedTaskStaysAsItIs as rule } from "#machine/rules/a-finished-task-stays-as-it-is";
import { aProposal, aState, aTaskRun, proposeTask, taskObjections, verdict } from "../../support/builders.ts";

const TERMINAL = ["COMPLETED", "FAILED", "CANCELLED", "CRASHED"] as const;

describe("a finished task", () => {
  it("is not changed by latecomers", ({ expect }) => {
    const expected = TERMINAL.flatMap((from) => [
      ...["CRASHED", "PAUSED", "CANCELLING"].map((to) => `${from} → ${to}: ABORT`),
      ...["COMPLETED", "FAILED", "CANCELLED"].map((to) => `${from} → ${to}: KEEP`),
    ]);
    expect(taskObjections(rule).toSorted()).toEqual(expected.toSorted());
  });

  it.for([
    { data: { storage_key: "k" }, expected: "KEEP" },
    { data: { type: "unpersisted" }, expected: "ACCEPT" },
    { data: null, expected: "ACCEPT" },
  ])("with $data that is run again is answered $expected", ({ data, expected }, { expect }) => {
    expect(verdict(proposeTask(rule, aState("COMPLETED", { data }), aProposal("RUNNING")))).toBe(expected);
  });

  it("counts its attempts anew when it is run again", ({ expect }) => {
    const { written } = proposeTask(rule, aState("FAILED"), aProposal("RUNNING"), { run: aTaskRun({ runCount: 4 }) });
    expect(written?.run.runCount).toBe(1);
  });
});
