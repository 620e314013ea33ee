/** Deployments as programs declare them. */
import type { ApiClient } from "../../client/index.ts";
import type { DeploymentCreate } from "../../protocol/deployments.ts";
import { SluiceError } from "../../protocol/errors.ts";
import type { FlowControl } from "../../protocol/flow-control.ts";
import type { JsonObject, Labels } from "../../protocol/flow-runs.ts";
import type { DeploymentId } from "../../protocol/ids.ts";
import { configuredClient } from "../configuration.ts";
import { type AnyFlow, definitionOf } from "../flow.ts";
import { type FlowControlOptions, flowControlOf } from "../flow-control.ts";
import { parameterSchema } from "../parameter-schema.ts";
import { checkGiven } from "../standard-schema.ts";
import type { Source } from "./git-source.ts";
import { hasTiming, type ScheduleOptions, schedulesOf, type Timing } from "./schedules.ts";

/** What a deployment of a flow is. Everything but the name may be left out. */
export interface DeploymentOptions<P = unknown> extends Timing {
  /** People name the deployment `flow-name/deployment-name`. */
  readonly name: string;
  /** In place of, or beside, the one that `cron`, `interval`, `rrule` or `at` describes. Default: none. */
  readonly schedules?: readonly ScheduleOptions[];
  /** Of runs that say nothing else. Default: none. */
  readonly parameters?: Partial<NonNullable<P>>;
  /** Of each of its runs. Default: the flow's. */
  readonly tags?: readonly string[];
  /** Values by name, for those who look for it. Default: none. */
  readonly labels?: Labels;
  /** Shown to people. Default: the flow's. */
  readonly description?: string;
  /** Default: the flow's. */
  readonly version?: string;
  /** Whether its schedules rest. Default false. */
  readonly paused?: boolean;
  /** Whether parameters of runs are held against the flow's schema before the run is made. Default true. */
  readonly enforceParameterSchema?: boolean;
  /** Runs at the same time; one more waits, or is cancelled if `collisionStrategy` is "CANCEL_NEW". Default: no limit. */
  readonly concurrencyLimit?:
    | number
    | { readonly limit: number; readonly collisionStrategy?: "ENQUEUE" | "CANCEL_NEW"; readonly graceSeconds?: number };
  /** Limits by a key of the parameters, debouncing, throttling. Default: what the deployment has. */
  readonly flowControl?: FlowControlOptions<P>;
  /**
   * What becomes of a run whose process crashes or is not heard of any more: see `flowControl.onLost`, in place of which it
   * may stand here alone. Default: what the deployment has, at first "crash".
   */
  readonly onLost?: "crash" | "retry";
}

/** Where the runs of a deployment are executed. */
export interface DeployOptions<P = unknown> extends DeploymentOptions<P> {
  /** Name of the work pool, which has to exist. */
  readonly workPool: string;
  /** Default: the queue "default" of the pool. */
  readonly workQueue?: string;
  /** `path/file.ts:exportName`, relative to `path`. */
  readonly entrypoint: string;
  /** Where workers fetch the code from before each run: `gitSource({ url })`. Default: it is where they run, or in the image. */
  readonly source?: Source;
  /**
   * The folder of the code where its runs are executed; with a `source`, the one within it. Default: this process's folder;
   * none with an `image`, and the root of a `source`.
   */
  readonly path?: string;
  /** The container image of pools that have one: the job variable `image`. */
  readonly image?: string;
  /** In place of those of the pool's template. */
  readonly jobVariables?: JsonObject;
}

/** A flow with what its deployment is to be, as `serve` takes it. Nothing has been sent. */
export interface PlannedDeployment {
  readonly flow: AnyFlow;
  readonly body: Omit<DeploymentCreate, "flow_id">;
  readonly flowControl: FlowControl | null;
  readonly onLost: FlowControl["on_lost"];
}

/** Plans a deployment. Throws TypeError for options that cannot be. */
export function planDeployment<P>(flow: AnyFlow, options: DeploymentOptions<P> | DeployOptions<P>): PlannedDeployment {
  const definition = definitionOf(flow);
  if (!options.name) {
    throw new TypeError(`A deployment of flow "${flow.name}" needs a name: { name: "daily" }.`);
  }
  if ("entrypoint" in options && options.entrypoint && !/[^:]:[^:/\\]+$/.test(options.entrypoint)) {
    throw new TypeError(
      `deploy() option "entrypoint" is "${options.entrypoint}". Write it as "path/to/file.ts:exportName".`,
    );
  }
  const own = hasTiming(options) ? [timingOf(options)] : [];
  const limit = options.concurrencyLimit;
  const {
    limit: slots,
    collisionStrategy = "ENQUEUE",
    graceSeconds,
  } = typeof limit === "object" ? limit : { limit: limit ?? null };
  return {
    flow,
    onLost: options.onLost ?? null,
    flowControl: options.flowControl ? flowControlOf(options.flowControl) : null,
    body: {
      name: options.name,
      paused: options.paused ?? false,
      schedules: schedulesOf([...own, ...(options.schedules ?? [])]),
      parameters: jsonOf(flow, options.parameters ?? {}),
      parameter_openapi_schema: parameterSchema(definition.parameters) ?? {},
      enforce_parameter_schema: options.enforceParameterSchema ?? true,
      tags: [...(options.tags ?? definition.tags)],
      labels: options.labels ?? null,
      description: options.description ?? definition.description,
      version: options.version ?? definition.version,
      concurrency_limit: slots,
      concurrency_options:
        slots === null ? null : { collision_strategy: collisionStrategy, grace_period_seconds: graceSeconds ?? null },
      ...placeOf<P>(options),
    },
  };
}

/**
 * Makes or changes the deployment. Throws `SluiceError` where there is no control plane, or what it refuses, and
 * `ParameterError` for parameters that the flow does not take.
 */
export async function applyDeployment(client: ApiClient, planned: PlannedDeployment): Promise<DeploymentId> {
  const { parameters, schedules = [], enforce_parameter_schema: isEnforced } = planned.body;
  const schema = isEnforced === false ? null : definitionOf(planned.flow).parameters;
  for (const more of [{}, ...(schedules ?? []).map((schedule) => schedule.parameters ?? {})]) {
    await checkGiven(planned.flow.name, schema, { ...parameters, ...more });
  }
  const [{ createFlow }, { createDeployment }] = await Promise.all([
    import("../../protocol/flows.ts"),
    import("../../protocol/deployments.ts"),
  ]);
  const flow = await client.call(createFlow, { body: { name: planned.flow.name } }, { idempotent: true });
  const body = { ...planned.body, flow_id: flow.id };
  const { id } = await client.call(createDeployment, { body }, { idempotent: true });
  const { flowControl, onLost } = planned;
  if (flowControl !== null || onLost !== null) {
    const { readFlowControl, writeFlowControl } = await import("../../protocol/flow-control.ts");
    const control = flowControl ?? (await client.call(readFlowControl, { params: { id } }));
    const body = onLost === null ? control : { ...control, on_lost: onLost };
    await client.call(writeFlowControl, { params: { id }, body });
  }
  return id;
}

/** The client of the configured control plane. Throws `not_configured` where there is none. */
export function requiredClient(purpose: string): ApiClient {
  const client = configuredClient();
  if (client !== null) return client;
  throw new SluiceError("not_configured", `${purpose} needs a control plane, and none is configured.`, {
    fix: "Start one with `sluice server start` and set SLUICE_API_URL to its address.",
  });
}

function timingOf({ cron, dayOr, interval, rrule, at, timezone, anchor }: Timing): Timing {
  const all = { cron, dayOr, interval, rrule, at, timezone, anchor };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function placeOf<P>(options: DeploymentOptions<P> | DeployOptions<P>): Partial<DeploymentCreate> {
  if (!("workPool" in options)) return {};
  const { workPool, workQueue, entrypoint, source, path, image, jobVariables } = options;
  const isHere = image === undefined && source === undefined;
  const here = isHere ? (globalThis.process?.cwd?.() ?? null) : null;
  return {
    work_pool_name: workPool,
    ...(workQueue === undefined ? {} : { work_queue_name: workQueue }),
    entrypoint,
    path: path ?? here,
    pull_steps: source === undefined ? null : [...source.pullSteps],
    job_variables: { ...jobVariables, ...(image === undefined ? {} : { image }) },
  };
}

function jsonOf(flow: AnyFlow, parameters: object): JsonObject {
  try {
    return JSON.parse(JSON.stringify(parameters)) as JsonObject;
  } catch (cause) {
    throw new TypeError(`The parameters of a deployment of flow "${flow.name}" cannot be written as JSON.`, { cause });
  }
}
