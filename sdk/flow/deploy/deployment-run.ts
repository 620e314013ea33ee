/** Starts runs of deployments and waits for ends of runs. Loaded when a program does so. */
import type { ApiClient } from "../../client/index.ts";
import { pause } from "../../client/jitter.ts";
import { createFlowRunFromDeployment, readDeploymentByName } from "../../protocol/deployments.ts";
import { type FlowRun, readFlowRun } from "../../protocol/flow-runs.ts";
import type { FlowRunId } from "../../protocol/ids.ts";
import { isTerminal } from "../../protocol/states.ts";
import { clock } from "../configuration.ts";
import { parseDuration } from "../duration.ts";
import { currentScope, runSignal } from "../engine/scope.ts";
import { openSubflowTask } from "../engine/server-backend.ts";
import { subflowTask } from "../engine/subflow-task.ts";
import { TRACEPARENT_LABEL } from "../engine/tracing.ts";
import { TimedOutError } from "../errors.ts";
import { taggedHere } from "../tags.ts";
import { requiredClient } from "./deployment.ts";
import type { RunDeploymentOptions, WaitForFlowRunOptions } from "./run-deployment.ts";

const FIRST_LOOK_MS = 100;
const LAST_LOOK_MS = 3_000;
/** In the middle of a run the control plane is waited for. */
const PATIENCE_MS = 600_000;

/** See `runDeployment`. */
export async function startRun(name: string, options: RunDeploymentOptions): Promise<FlowRun> {
  const [flow = "", deployment = "", ...more] = name.split("/");
  if (!flow || !deployment || more.length > 0) {
    throw new TypeError(`The deployment is ${JSON.stringify(name)}. Give "flow-name/deployment-name".`);
  }
  const client = requiredClient("runDeployment()");
  const timeoutMs =
    options.timeout === undefined ? null : parseDuration(options.timeout, 'runDeployment() option "timeout"');
  const { id } = await client.call(readDeploymentByName, { params: { flow, deployment } });
  const { parameters, flowRunName, scheduledTime, tags, jobVariables, workQueue, idempotencyKey } = options;
  const scope = currentScope();
  const given = taggedHere(tags ?? [], scope?.tags);
  const inputs = { parameters, flowRunName, tags, jobVariables };
  const task = (options.asSubflow ?? true) ? await subflowTask(name, inputs) : null;
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
  const signal = options.signal ?? runSignal();
  return timeoutMs === 0 ? run : await untilEnded(client, run, timeoutMs, signal);
}

/** See `waitForFlowRun`. */
export async function awaitRun(id: FlowRunId, options: WaitForFlowRunOptions): Promise<FlowRun> {
  const client = requiredClient("waitForFlowRun()");
  const timeoutMs =
    options.timeout === undefined ? null : parseDuration(options.timeout, 'waitForFlowRun() option "timeout"');
  const first = await client.call(readFlowRun, { params: { id } });
  const run = await untilEnded(client, first, timeoutMs, options.signal ?? runSignal());
  if (isTerminal(run.state_type)) return run;
  throw new TimedOutError(`Waiting for flow run "${run.name}"`, timeoutMs ?? 0);
}

async function untilEnded(
  client: ApiClient,
  first: FlowRun,
  timeoutMs: number | null,
  signal: AbortSignal | undefined,
): Promise<FlowRun> {
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
