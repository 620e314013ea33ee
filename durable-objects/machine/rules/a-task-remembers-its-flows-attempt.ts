import type { OwnedTaskRule } from "../rule.ts";
import { PASS } from "../rule.ts";

/** A task that begins to run notes in which attempt of its flow it does. */
export const aTaskRemembersItsFlowsAttempt: OwnedTaskRule = {
  name: "a-task-remembers-its-flows-attempt",
  from: "any",
  to: ["RUNNING"],
  decide: (_, { flowRun }) =>
    flowRun === null ? PASS : { kind: "pass", patch: { flowRunRunCount: flowRun.runCount } },
};
