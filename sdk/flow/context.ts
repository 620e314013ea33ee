/** What a running flow or task knows about itself. */
import type { JsonObject } from "../protocol/flow-runs.ts";
import type { DeploymentId, FlowRunId, TaskRunId } from "../protocol/ids.ts";
import { currentScope } from "./engine/scope.ts";
import type { Logger } from "./logger.ts";

/** The flow run that the calling code belongs to. It is also the second argument of every flow's function. */
export interface FlowContext {
  readonly flowRunId: FlowRunId;
  readonly flowRunName: string;
  readonly flowName: string;
  /** As they were given, before the schema of the flow parsed them. */
  readonly parameters: JsonObject;
  readonly deploymentId: DeploymentId | null;
  /** 1 for the first attempt. */
  readonly runCount: number;
  /** Aborts when this attempt is to stop: timeout, cancellation, suspension. Its `reason` is the error. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/**
 * The task run that the calling code belongs to. It is also handed to a task's function behind its own arguments, when
 * the function's last parameter is a destructuring pattern (`{ signal }`) or is called `context` or `ctx`.
 */
export interface TaskContext {
  readonly taskRunId: TaskRunId;
  readonly taskRunName: string;
  readonly taskName: string;
  /** 1 for the first attempt. */
  readonly runCount: number;
  /** Aborts when this attempt is to stop: its own timeout, or the end of its flow's attempt. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** The flow run that the task belongs to; null for a task that was called outside of any. */
  readonly flow: FlowContext | null;
}

/** The flow run that the calling code belongs to. Throws outside of one. */
export function flowContext(): FlowContext {
  const flow = currentScope()?.flow ?? null;
  if (flow === null)
    throw new Error("flowContext() was called outside of a flow run. Call it inside a flow or a task of one.");
  return flow;
}

/** The task run that the calling code belongs to. Throws outside of one. */
export function taskContext(): TaskContext {
  const task = currentScope()?.task ?? null;
  if (task === null)
    throw new Error("taskContext() was called outside of a task run. Call it inside a task's function.");
  return task;
}
