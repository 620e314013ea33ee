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
  /** Of the run: of its flow or deployment, of the code that called it, and of whoever started it. */
  readonly tags: readonly string[];
  /** What the run says, or else the code of the flow; null where neither does. */
  readonly flowVersion: string | null;
  readonly deploymentId: DeploymentId | null;
  /** The deployment's, as it was when the run was made; null where there is none. */
  readonly deploymentVersion: string | null;
  /** When the run was due; for one that nobody scheduled, when it was made. Starting late does not change it. */
  readonly scheduledStartTime: Date;
  /** Those of the run itself, in place of its deployment's. */
  readonly jobVariables: JsonObject;
  /** The task run that stands for this run in the one that called it; null for a run that none has called. */
  readonly parentTaskRunId: TaskRunId | null;
  /** Address of the run in the API; null without a control plane. */
  readonly apiUrl: string | null;
  /** Address of the run's page; null without a control plane. */
  readonly uiUrl: string | null;
  /** 1 for the first attempt. */
  readonly runCount: number;
  /** Aborts when this attempt is to stop: timeout, cancellation, suspension. Its `reason` is the error. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /**
   * The runs above this one. Known at once for runs that this process called; the control plane is asked for others.
   * Throws `SluiceError` for what it refuses.
   */
  ancestry(): Promise<FlowAncestry>;
  /**
   * The deployment that the run is one of, asked of the control plane; null for a run without one. Throws `SluiceError`
   * for what it refuses: a deployment that was deleted meanwhile.
   */
  deployment(): Promise<RunDeployment | null>;
}

/** The runs above a flow run. */
export interface FlowAncestry {
  /** The run that called it; null for a run that none has called. */
  readonly parentFlowRunId: FlowRunId | null;
  /** The deployment of the run that called it; null where there is none. */
  readonly parentDeploymentId: DeploymentId | null;
  /** The uppermost run: the run itself, if none has called it. */
  readonly rootFlowRunId: FlowRunId;
}

/** The deployment of a run, as it is when it is asked for. */
export interface RunDeployment {
  readonly id: DeploymentId;
  readonly name: string;
  readonly version: string | null;
  /** Of runs that say nothing else. */
  readonly parameters: JsonObject;
}

/**
 * The task run that the calling code belongs to. It is also handed to a task's function behind its own arguments, when
 * the function's last parameter is a destructuring pattern (`{ signal }`) or is called `context` or `ctx`.
 */
export interface TaskContext {
  readonly taskRunId: TaskRunId;
  readonly taskRunName: string;
  readonly taskName: string;
  /** Of the task and of the code that called it. */
  readonly tags: readonly string[];
  /** The values of this call by the names of the function's parameters (`argument0` for one without a name). */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Address of the run in the API; null without a control plane, as for tasks that are called outside of flows. */
  readonly apiUrl: string | null;
  /** Address where the run is shown; null where `apiUrl` is, and for background runs, which have no page of their own. */
  readonly uiUrl: string | null;
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
