import type { OwnedTaskRule } from "../rule.ts";
import { PASS } from "../rule.ts";

/** A task runs only with a slot of the limit of each of its tags; a limit of 0 would let it wait for ever. */
export const aTaskWaitsWhenSlotsAreTaken: OwnedTaskRule = {
  name: "a-task-waits-when-slots-are-taken",
  from: "any",
  to: ["RUNNING"],
  decide: (_, { tagSlots }) => {
    switch (tagSlots.kind) {
      case "granted":
        return PASS;
      case "full":
        return {
          kind: "wait",
          delaySeconds: tagSlots.retryAfterSeconds,
          because: `Concurrency limit reached for tags: ${tagSlots.tags.join(", ")}`,
        };
      case "closed":
        return {
          kind: "abort",
          because: `The concurrency limit on tag "${tagSlots.tag}" is 0 and will deadlock if the task tries to run again.`,
        };
    }
  },
};
