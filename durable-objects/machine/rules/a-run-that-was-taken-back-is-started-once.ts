import type { Rule } from "../rule.ts";
import { PASS } from "../rule.ts";

/**
 * A process of a claim that was taken back may start after all, beside that of the claim that followed, and neither shows
 * which claim it belongs to. Whoever comes first runs; the other one is told to stop.
 */
export const aRunThatWasTakenBackIsStartedOnce: Rule = {
  name: "a-run-that-was-taken-back-is-started-once",
  from: ["RUNNING"],
  to: ["RUNNING"],
  decide: (_, { mayHaveTwoProcesses }) =>
    mayHaveTwoProcesses
      ? { kind: "abort", because: "The run was claimed twice, and the process of one of the claims runs it already." }
      : PASS,
};
