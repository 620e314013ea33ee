/** Runs deployments from programs, and waits for runs to end. */
import type { ApiClient } from "../../client/index.ts";
import { pause } from "../../client/jitter.ts";
import type { FlowRun, JsonObject } from "../../protocol/flow-runs.ts";
import type { FlowRunId } from "../../protocol/ids.ts";
import { isTerminal } from "../../protocol/states.ts";
import { clock } from "../configuration.ts";
import { type Duration, parseDuration } from "../duration.ts";
import { currentScope } from "../engine/scope.ts";
import { subflowTask } from "../engine/subflow-task.ts";
import { TRACEPARENT_LABEL } from "../engine/tracing.ts";
import { TimedOutError } from "../errors.ts";
import { taggedHere } from "../tags.ts";
import { requiredClient } from "./deployment.ts";

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

const FIRST_LOOK_MS = 100;
const LAST_LOOK_MS = 3_000;
/** In the middle of a run the control plane is waited for. */
const PATIENCE_MS = 600_000;

/**
 * Runs a deployment, named `flow-name/deployment-name`, and answers the run when it has ended, however it ended; with a
 * `timeout`, as it is by then. A flow that is continued after a crash waits for the run that it had started.
 *
 * Throws `SluiceError` where there is no such deployment, or for parameters that do not fit its schema.
 */
export async function runDeployment(name: string, options: RunDeploymentOptions = {}): Promise<FlowRun> {
  const [flow = "", deployment = "", ...more] = name.split("/");
  if (!flow || !deployment || more.length > 0) {
    throw new TypeError(`The deployment is ${JSON.stringify(name)}. Give "flow-name/deployment-name".`);
  }
  const client = requiredClient("runDeployment()");
  const timeoutMs =
    options.timeout === undefined ? null : parseDuration(options.timeout, 'runDeployment() option "timeout"');
  const { createFlowRunFromDeployment, readDeploymentByName } = await import("../../protocol/deployments.ts");
  const { id } = await client.call(readDeploymentByName, { params: { flow, deployment } });
  const { parameters, flowRunName, scheduledTime, tags, jobVariables, workQueue, idempotencyKey } = options;
  const scope = currentScope();
  const given = taggedHere(tags ?? [], scope?.tags);
  const inputs = { parameters, flowRunName, tags, jobVariables };
  const task = (options.asSubflow ?? true) ? await subflowTask(name, inputs) : null;
  const { openSubflowTask } = await import("../engine/server-backend.ts");
  const parentId = task === null ? null : await openSubflowTask(client, task);
  const span = scope?.span;
  const key = idempotencyKey ?? (parentId === null ? crypto.randomUUID() : `${task?.flowRunId}-${parentId}`);
  const run = await client.call(
    createFlowRunFromDeployment,
    {
      params: { id },
      body: {
        ...(parameters ? { parameters } : {}),
        ...(flowRunName === undefined ? {} : { name: flowRunName }),
        ...(given.length > 0 ? { tags: given } : {}),
        ...(jobVariables ? { job_variables: jobVariables } : {}),
        ...(workQueue === undefined ? {} : { work_queue_name: workQueue }),
        // The run belongs to the trace of the one that starts it.
        ...(span === undefined ? {} : { labels: { [TRACEPARENT_LABEL]: span.traceparent } }),
        ...(parentId === null ? {} : { parent_task_run_id: parentId }),
        ...(scheduledTime
          ? { state: { type: "SCHEDULED", state_details: { scheduled_time: scheduledTime.toISOString() } as never } }
          : {}),
        idempotency_key: key,
      },
    },
    { idempotent: true },
  );
  const signal = options.signal ?? scopeSignal();
  return timeoutMs === 0 ? run : await untilEnded(client, run, timeoutMs, signal);
}

/**
 * Waits until a run has ended and answers it. Throws {@link TimedOutError} when it has not within `timeout` (default:
 * for ever), and `SluiceError` for a run that there is not.
 */
export async function waitForFlowRun(
  id: FlowRunId,
  options: { readonly timeout?: Duration; readonly signal?: AbortSignal } = {},
): Promise<FlowRun> {
  const client = requiredClient("waitForFlowRun()");
  const timeoutMs =
    options.timeout === undefined ? null : parseDuration(options.timeout, 'waitForFlowRun() option "timeout"');
  const { readFlowRun } = await import("../../protocol/flow-runs.ts");
  const first = await client.call(readFlowRun, { params: { id } });
  const run = await untilEnded(client, first, timeoutMs, options.signal ?? scopeSignal());
  if (isTerminal(run.state_type)) return run;
  throw new TimedOutError(`Waiting for flow run "${run.name}"`, timeoutMs ?? 0);
}

async function untilEnded(
  client: ApiClient,
  first: FlowRun,
  timeoutMs: number | null,
  signal: AbortSignal | undefined,
): Promise<FlowRun> {
  const { readFlowRun } = await import("../../protocol/flow-runs.ts");
  const startedAt = clock().now();
  let run = first;
  for (let waitMs = FIRST_LOOK_MS; !isTerminal(run.state_type); waitMs = Math.min(waitMs * 1.5, LAST_LOOK_MS)) {
    const leftMs = timeoutMs === null ? waitMs : timeoutMs - (clock().now() - startedAt);
    if (leftMs <= 0) break;
    await pause(Math.min(waitMs, leftMs), signal);
    const how = { patienceMs: PATIENCE_MS, ...(signal ? { signal } : {}) };
    run = await client.call(readFlowRun, { params: { id: run.id } }, how);
  }
  return run;
}

function scopeSignal(): AbortSignal | undefined {
  const scope = currentScope();
  return scope?.task?.signal ?? scope?.flow?.signal;
}
