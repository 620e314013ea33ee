import { hasPersistedResult } from "../results.ts";
import type { RunRule } from "../rule.ts";
import { PASS } from "../rule.ts";

/** A repeated COMPLETED without a result must not wipe the reference to the one that is stored. */
export const aResultIsNotLost: RunRule = {
  name: "a-result-is-not-lost",
  from: ["COMPLETED"],
  to: ["COMPLETED"],
  decide: ({ from, to }) =>
    from !== null && hasPersistedResult(from) && !hasPersistedResult(to)
      ? { kind: "keep", because: "This run is already COMPLETED with a persisted result." }
      : PASS,
};
