import { describe, it } from "vitest";
import {
  MAX_CACHE_KEY_CHARS,
  aCacheKeyHasABoundedLength as rule,
} from "#machine/rules/a-cache-key-has-a-bounded-length";
import { aProposal, aState, ownedTaskObjections, proposeOwnedTask, verdict } from "../../support/builders.ts";

describe("a cache key", () => {
  it("is nobody's concern where there is none", ({ expect }) => {
    expect(ownedTaskObjections(rule)).toEqual([]);
  });

  it.for([
    { type: "COMPLETED", chars: MAX_CACHE_KEY_CHARS, expected: "ACCEPT", remembered: true },
    { type: "COMPLETED", chars: MAX_CACHE_KEY_CHARS + 1, expected: "REJECT Completed", remembered: false },
    { type: "FAILED", chars: MAX_CACHE_KEY_CHARS + 1, expected: "ACCEPT", remembered: false },
    { type: "RUNNING", chars: 5, expected: "ACCEPT", remembered: false },
  ] as const)("of $chars characters with $type is answered $expected", (row, { expect }) => {
    const cache_key = "k".repeat(row.chars);
    const decision = proposeOwnedTask(rule, aState("RUNNING"), aProposal(row.type, { details: { cache_key } }));
    expect(verdict(decision)).toBe(row.expected);
    expect(decision.written?.effects.some(({ kind }) => kind === "remember")).toBe(row.remembered);
  });

  it("that is too long is named as the reason", ({ expect }) => {
    const to = aProposal("COMPLETED", { details: { cache_key: "k".repeat(5_000) } });
    expect(proposeOwnedTask(rule, aState("RUNNING"), to).result.details).toEqual({
      type: "reject_details",
      reason: "Cache key exceeded maximum allowed length of 2000 characters.",
    });
  });
});
