import { defaultStateName } from "#protocol/states";
import type { TaskRule } from "../rule.ts";
import { PASS } from "../rule.ts";

/** A task that runs again says so in its state's name, unless the caller chose one. */
export const aRerunIsNamedSo: TaskRule = {
  name: "a-rerun-is-named-so",
  from: "any",
  to: ["RUNNING"],
  decide: ({ from, to }, { run }) => {
    const named = to.name && to.name !== defaultStateName("RUNNING");
    if (run.runCount === 0 || named) return PASS;
    return { kind: "amend", to: { ...to, name: from?.name === "AwaitingRetry" ? "Retrying" : "Rerunning" } };
  },
};
