/** The task run that stands for a child run in the run of the flow that starts it. */
import { nameCall } from "../results/call-key.ts";
import { UnhashableError } from "../results/hash.ts";
import type { SubflowTask } from "./backend.ts";
import { currentScope, type Scope } from "./scope.ts";

/** Digits of the call's name that stand in the task run's key: enough for all calls of one run. */
const KEY_DIGITS = 16;

/**
 * Names the task run of a child run that the calling code starts with these inputs; null outside of flow runs. Another
 * attempt of the same run that makes the same call finds the same task run, and by it the child.
 */
export async function subflowTask(name: string, inputs: unknown): Promise<SubflowTask | null> {
  const scope = currentScope();
  if (!scope?.flow) return null;
  const taskKey = `${name}-subflow`;
  const callKey = await keyOfCall(scope, taskKey, inputs);
  const { execution } = scope;
  const { id, dynamicKey, number } = execution.identify(taskKey, shortened(callKey));
  const parents = scope.task === null ? null : [{ input_type: "task_run", id: scope.task.taskRunId }];
  const { memory } = execution;
  return {
    id,
    flowRunId: scope.flow.flowRunId,
    name: `${name}-${number}`,
    taskKey,
    dynamicKey,
    callKey,
    mayHaveRun: memory?.isContinued === true && memory.known(taskKey, dynamicKey)?.isRerun !== true,
    inputs: parents === null ? {} : { __parents__: parents },
  };
}

/** The name of a call; null for one that another attempt cannot find. */
export async function keyOfCall(scope: Scope, taskKey: string, inputs: unknown): Promise<string | null> {
  try {
    return await nameCall(scope, taskKey, inputs);
  } catch (error) {
    if (error instanceof UnhashableError) return null;
    throw error;
  }
}

/** The name as it stands in a task run's key. */
export function shortened(callKey: string | null): string | null {
  return callKey === null ? null : callKey.slice(0, KEY_DIGITS) + callKey.slice(callKey.lastIndexOf("-"));
}
