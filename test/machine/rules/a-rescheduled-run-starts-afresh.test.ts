import { describe, it } from "vitest";
import { FORCED_POLICY } from "#machine/policies/forced";
import { aRescheduledRunStartsAfresh } from "#machine/rules/a-rescheduled-run-starts-afresh";
import { aProposal, aRun, aState, objections, propose } from "../../support/builders.ts";

const run = aRun({ policy: { resuming: true, pause_keys: ["one"], retry_type: "in_process", retries: 2 } });

describe("a run that leaves a terminal state", () => {
  it("is not stopped by this", ({ expect }) => {
    expect(objections(aRescheduledRunStartsAfresh)).toEqual([]);
  });

  it.for(["COMPLETED", "FAILED", "CANCELLED", "CRASHED"] as const)(
    "%s forgets its pauses and goes to a worker when it is scheduled",
    (from, { expect }) => {
      const { written } = propose(aRescheduledRunStartsAfresh, aState(from), aProposal("SCHEDULED"), { run });
      expect(written?.run.policy).toEqual({
        ...run.policy,
        resuming: false,
        pause_keys: [],
        retry_type: "reschedule",
      });
      expect(written?.effects.map(({ kind }) => kind)).toContain("offer");
    },
  );

  it("by force into RUNNING has no kind of retry", ({ expect }) => {
    const { written } = propose(FORCED_POLICY, aState("FAILED"), aProposal("RUNNING"), { run });
    expect(written?.run.policy).toMatchObject({ retry_type: null, pause_keys: [] });
  });

  it.for(["COMPLETED", "FAILED"] as const)("keeps its marks when it stays in %s", (type, { expect }) => {
    const { written } = propose(aRescheduledRunStartsAfresh, aState(type), aProposal(type), { run });
    expect(written?.run.policy.pause_keys).toEqual(["one"]);
  });
});
