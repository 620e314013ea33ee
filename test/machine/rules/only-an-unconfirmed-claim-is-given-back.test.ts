import { describe, it } from "vitest";
import { onlyAnUnconfirmedClaimIsGivenBack as rule } from "#machine/rules/only-an-unconfirmed-claim-is-given-back";
import { STATE_TYPES } from "#protocol/states";
import { ALL_FROM, aProposal, aRun, aState, objections, propose, verdict } from "../../support/builders.ts";

const ALLOWED = [
  "PENDING → SCHEDULED",
  "PENDING → CRASHED",
  "RUNNING → SCHEDULED",
  "RUNNING → CRASHED",
  "PAUSED → SCHEDULED",
  "PAUSED → CRASHED",
  "CANCELLING → CANCELLED",
];

function everythingBut(allowed: readonly string[]): string[] {
  return ALL_FROM.flatMap((from) => STATE_TYPES.map((to) => `${from} → ${to}`))
    .filter((transition) => !allowed.includes(transition))
    .map((transition) => `${transition}: ABORT`);
}

describe("the loss of a holder", () => {
  it("changes a run only in the way that fits its state", ({ expect }) => {
    expect(objections(rule)).toEqual(everythingBut(ALLOWED));
  });

  it("ends a run whose process waited for its retry", ({ expect }) => {
    const run = aRun({ policy: { retry_type: "in_process" } });
    expect(objections(rule, { run })).toEqual(
      everythingBut([...ALLOWED, "SCHEDULED → SCHEDULED", "SCHEDULED → CRASHED"]),
    );
  });

  it("does not end a suspended run, which nobody holds", ({ expect }) => {
    const from = aState("PAUSED", { details: { pause_reschedule: true } });
    expect(verdict(propose(rule, from, aProposal("CRASHED")))).toBe("ABORT");
  });
});
