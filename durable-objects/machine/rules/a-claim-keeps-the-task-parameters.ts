import type { RunRule } from "../rule.ts";
import { PASS } from "../rule.ts";

/** A background task keeps the id of its stored parameters until it runs. */
export const aClaimKeepsTheTaskParameters: RunRule = {
  name: "a-claim-keeps-the-task-parameters",
  from: ["SCHEDULED", "PENDING"],
  to: ["PENDING", "RUNNING"],
  decide: ({ from, to }) => {
    const task_parameters_id = from?.state_details.task_parameters_id ?? null;
    if (task_parameters_id === null || to.state_details.task_parameters_id !== null) return PASS;
    return { kind: "amend", to: { ...to, state_details: { ...to.state_details, task_parameters_id } } };
  },
};
