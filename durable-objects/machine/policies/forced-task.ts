import type { OwnedTaskPolicy } from "../rule.ts";

/** What holds when a person insists (`force`), and for a task run's first state: nothing, as upstream. */
export const FORCED_TASK_POLICY: OwnedTaskPolicy = { name: "forced-task", rules: [] };
