import { describe, it } from "vitest";
import { aCancellingRunOnlyBecomesCancelled } from "#machine/rules/a-cancelling-run-only-becomes-cancelled";
import { STATE_TYPES } from "#protocol/states";
import { objections } from "../../support/builders.ts";

describe("a run that is being cancelled", () => {
  it("becomes CANCELLED and nothing else", ({ expect }) => {
    const others = STATE_TYPES.filter((type) => type !== "CANCELLED");
    expect(objections(aCancellingRunOnlyBecomesCancelled)).toEqual(others.map((to) => `CANCELLING → ${to}: KEEP`));
  });
});
