import type { Rule } from "../rule.ts";
import { PASS } from "../rule.ts";

/**
 * A claim for which the work pool or the queue has no slot is refused, and the run stays where it is in line: whoever
 * asks its pool again finds it as soon as a slot is free.
 */
export const aRunKeepsItsPlaceWhenItsPoolIsFull: Rule = {
  name: "a-run-keeps-its-place-when-its-pool-is-full",
  from: [null, "SCHEDULED", "COMPLETED", "FAILED", "CANCELLED", "CRASHED"],
  to: ["PENDING"],
  decide: (_, { reservation }) =>
    reservation.kind === "no-place"
      ? { kind: "abort", because: `No slot is free in the ${reservation.limit}; the run keeps its place in line.` }
      : PASS,
};
