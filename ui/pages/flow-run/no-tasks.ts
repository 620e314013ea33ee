import type { FlowRun } from "#protocol/flow-runs";
import { isTerminal } from "#protocol/states";

/** Said in place of task runs where there are none. */
export function noTasks({ state_type }: Pick<FlowRun, "state_type">): string {
  return isTerminal(state_type) ? "This run had no tasks." : "No task has begun.";
}
