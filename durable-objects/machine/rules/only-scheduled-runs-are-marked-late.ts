import type { RunRule } from "../rule.ts";
import { PASS } from "../rule.ts";

/** Keeps the sweep for late runs from overwriting what happened since it looked. */
export const onlyScheduledRunsAreMarkedLate: RunRule = {
  name: "only-scheduled-runs-are-marked-late",
  from: "any",
  to: ["SCHEDULED"],
  decide: ({ from, to }) => {
    if (to.name !== "Late") return PASS;
    if (from?.type !== "SCHEDULED") return { kind: "keep", because: "Only scheduled runs can be marked late." };
    return from.name === "Late" ? { kind: "keep", because: "This run is already marked late." } : PASS;
  },
};
