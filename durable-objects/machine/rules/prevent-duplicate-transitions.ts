import type { RunRule } from "../rule.ts";
import { PASS } from "../rule.ts";

/** Recognises a proposal that is sent again because its answer was lost, and answers what became of it. */
export const preventDuplicateTransitions: RunRule = {
  name: "prevent-duplicate-transitions",
  from: "any",
  to: "any",
  decide: ({ from, to }) => {
    const id = to.state_details.transition_id;
    if (id === null || from?.state_details.transition_id !== id) return PASS;
    return { kind: "keep", because: "This run has already made this state transition." };
  },
};
