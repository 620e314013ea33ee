import { describe, it } from "vitest";
import { aClaimKeepsTheTaskParameters as rule } from "#machine/rules/a-claim-keeps-the-task-parameters";
import { aProposal, aState, ownedTaskObjections, proposeOwnedTask } from "../../support/builders.ts";

const MINE = "0193a000-0000-7000-8000-00000000aaaa";
const OTHER = "0193a000-0000-7000-8000-00000000bbbb";

describe("the id of a task's parameters", () => {
  it("is carried without objecting to anything", ({ expect }) => {
    expect(ownedTaskObjections(rule)).toEqual([]);
  });

  it.for([
    { from: "SCHEDULED", to: "PENDING", given: null, expected: MINE },
    { from: "SCHEDULED", to: "RUNNING", given: null, expected: MINE },
    { from: "PENDING", to: "RUNNING", given: null, expected: MINE },
    { from: "PENDING", to: "RUNNING", given: OTHER, expected: OTHER },
    { from: "RUNNING", to: "COMPLETED", given: null, expected: null },
    { from: "SCHEDULED", to: "CANCELLED", given: null, expected: null },
  ] as const)("is $expected after $from → $to with $given", (row, { expect }) => {
    const from = aState(row.from, { details: { task_parameters_id: MINE } });
    const to = aProposal(row.to, { details: { task_parameters_id: row.given } });
    expect(proposeOwnedTask(rule, from, to).result.state?.state_details.task_parameters_id).toBe(row.expected);
  });
});
