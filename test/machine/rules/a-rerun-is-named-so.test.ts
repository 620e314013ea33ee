import { describe, it } from "vitest";
import { aRerunIsNamedSo as rule } from "#machine/rules/a-rerun-is-named-so";
import { aProposal, aState, aTaskRun, proposeTask, taskObjections } from "../../support/builders.ts";

describe("a task that starts", () => {
  it("is not stopped by this", ({ expect }) => {
    expect(taskObjections(rule, { run: aTaskRun({ runCount: 2 }) })).toEqual([]);
  });

  it.for([
    { runCount: 0, from: aState("PENDING"), name: undefined, expected: "Running" },
    { runCount: 1, from: aState("SCHEDULED", { name: "AwaitingRetry" }), name: undefined, expected: "Retrying" },
    { runCount: 1, from: aState("PENDING"), name: undefined, expected: "Rerunning" },
    { runCount: 1, from: null, name: "Running", expected: "Rerunning" },
    { runCount: 1, from: aState("PENDING"), name: "Warming up", expected: "Warming up" },
  ])(
    "after $runCount attempts, out of $from.name, as $name, is $expected",
    ({ runCount, from, name, expected }, { expect }) => {
      const to = aProposal("RUNNING", name === undefined ? {} : { name });
      const { written } = proposeTask(rule, from, to, { run: aTaskRun({ runCount }) });
      expect(written?.state.name).toBe(expected);
    },
  );
});
