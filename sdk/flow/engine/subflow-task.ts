/** The task run that stands for a child run in the run of the flow that starts it. */
import type { SubflowTask } from "./backend.ts";
import { currentScope } from "./scope.ts";

/** Names the task run of a child run that the calling code starts; null outside of flow runs. */
export function subflowTask(name: string): SubflowTask | null {
  const scope = currentScope();
  if (!scope?.flow) return null;
  const taskKey = `${name}-subflow`;
  const { id, dynamicKey } = scope.execution.identify(taskKey);
  const parents = scope.task === null ? null : [{ input_type: "task_run", id: scope.task.taskRunId }];
  return {
    id,
    flowRunId: scope.flow.flowRunId,
    name: `${name}-${dynamicKey}`,
    taskKey,
    dynamicKey,
    inputs: parents === null ? {} : { __parents__: parents },
  };
}
