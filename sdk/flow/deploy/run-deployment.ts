/** Runs deployments from programs, and waits for runs to end. */
import type { FlowRun, JsonObject } from "../../protocol/flow-runs.ts";
import type { FlowRunId } from "../../protocol/ids.ts";
import type { Duration } from "../duration.ts";

/** How a deployment is run. Everything may be left out. */
export interface RunDeploymentOptions {
  /** In place of the deployment's. */
  readonly parameters?: JsonObject;
  /** How long to wait for the end of the run; 0 does not wait. Default: for ever. */
  readonly timeout?: Duration;
  /** Whether the run is a child of the run that the calling code belongs to, and cancelled with it. Default true. */
  readonly asSubflow?: boolean;
  /** Name of the run. Default: a made-up one. */
  readonly flowRunName?: string;
  /** When it is to start. Default: now. */
  readonly scheduledTime?: Date;
  /** Beside those of the deployment, and those that `tags()` gives to all that is called within. */
  readonly tags?: readonly string[];
  /** In place of those of the deployment. */
  readonly jobVariables?: JsonObject;
  /** The queue of the deployment's pool that the run waits in; one that there is not is made. Default: the deployment's. */
  readonly workQueue?: string;
  /** A second run with the same key is the first one. Default, in a run: one for this call in this run. */
  readonly idempotencyKey?: string;
  /** Ends the waiting. Default: the signal of the run that the calling code belongs to. */
  readonly signal?: AbortSignal;
}

/** For how long the end of a run is waited for. Everything may be left out. */
export interface WaitForFlowRunOptions {
  /** Default: for ever. */
  readonly timeout?: Duration;
  /** Ends the waiting. Default: the signal of the run that the calling code belongs to. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a deployment, named `flow-name/deployment-name`, and answers the run when it has ended, however it ended; with a
 * `timeout`, as it is by then. A flow that is continued after a crash waits for the run that it had started.
 *
 * Throws `SluiceError` where there is no such deployment, or for parameters that do not fit its schema.
 */
export async function runDeployment(name: string, options: RunDeploymentOptions = {}): Promise<FlowRun> {
  const { startRun } = await import("./deployment-run.ts");
  return await startRun(name, options);
}

/**
 * Waits until a run has ended and answers it. Throws {@link TimedOutError} when it has not within `timeout` (default:
 * for ever), and `SluiceError` for a run that there is not.
 */
export async function waitForFlowRun(id: FlowRunId, options: WaitForFlowRunOptions = {}): Promise<FlowRun> {
  const { awaitRun } = await import("./deployment-run.ts");
  return await awaitRun(id, options);
}
