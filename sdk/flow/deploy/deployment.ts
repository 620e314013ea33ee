/** Deployments as programs declare them. */
import type { ApiClient } from "../../client/index.ts";
import type { ConcurrencyOptions, DeploymentCreate } from "../../protocol/deployments.ts";
import { SluiceError } from "../../protocol/errors.ts";
import type { FlowControl } from "../../protocol/flow-control.ts";
import type { JsonObject, Labels } from "../../protocol/flow-runs.ts";
import type { DeploymentId } from "../../protocol/ids.ts";
import { configuredClient } from "../configuration.ts";
import { type Duration, parseDuration } from "../duration.ts";
import { type AnyFlow, definitionOf } from "../flow.ts";
import { type FlowControlOptions, flowControlOf } from "../flow-control.ts";
import { parameterSchema } from "../parameter-schema.ts";
import type { Source } from "./git-source.ts";
import { hasTiming, type ScheduleOptions, schedulesOf, type Timing } from "./schedules.ts";

const MIN_GRACE_SECONDS = 60;
const MAX_GRACE_SECONDS = 86_400;

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
  /**
   * Runs at the same time; one more waits, or is cancelled if `collisionStrategy` is "CANCEL_NEW". Null takes the limit away.
   * Default: what the deployment has, at first none.
   */
  readonly concurrencyLimit?: number | OwnLimit | SharedLimit | null;
  /** Limits by a key of the parameters, debouncing, throttling. Default: what the deployment has. */
  readonly flowControl?: FlowControlOptions<P>;
  /**
   * What becomes of a run whose process crashes or is not heard of any more: see `flowControl.onLost`, in place of which it
   * may stand here alone. Default: what the deployment has, at first "crash".
   */
  readonly onLost?: "crash" | "retry";
}

interface LimitRules {
  /** What becomes of a run for which there is no slot: it waits, or is cancelled. Default "ENQUEUE". */
  readonly collisionStrategy?: "ENQUEUE" | "CANCEL_NEW";
  /** How long a claimed run holds its slot until it starts, in whole seconds: from a minute to a day. Default: 5 minutes. */
  readonly gracePeriod?: Duration;
}

/** A limit of the deployment's own. */
export interface OwnLimit extends LimitRules {
  /** Runs at the same time. */
  readonly limit: number;
}

/** A limit that several deployments, and other code, may share. */
export interface SharedLimit extends LimitRules {
  /** Name or id of a concurrency limit that there is. */
  readonly globalLimit: string;
}

/** Where the runs of a deployment are executed. */
export interface DeploymentPlace {
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

/** What a deployment is, and where its runs are executed. */
export type DeployOptions<P = unknown> = DeploymentOptions<P> & DeploymentPlace;

/** What a deployment is; where its runs are executed may be said here, or by `deploy([…], { … })`. */
export type PlanOptions<P = unknown> = DeploymentOptions<P> & Partial<DeploymentPlace>;

/** A flow with what its deployment is to be, as `serve` takes it. Nothing has been sent. */
export interface PlannedDeployment {
  readonly flow: AnyFlow;
  /** As they were given. */
  readonly options: PlanOptions;
  readonly body: Omit<DeploymentCreate, "flow_id">;
  readonly flowControl: FlowControl | null;
  readonly onLost: FlowControl["on_lost"];
  /** Name or id of the limit that it shares; null for none. */
  readonly globalLimit: string | null;
}

/** Plans a deployment. Throws TypeError for options that cannot be. */
export function planDeployment<P>(flow: AnyFlow, options: PlanOptions<P>): PlannedDeployment {
  const definition = definitionOf(flow);
  if (!options.name) {
    throw new TypeError(`A deployment of flow "${flow.name}" needs a name: { name: "daily" }.`);
  }
  if (options.entrypoint && !/[^:]:[^:/\\]+$/.test(options.entrypoint)) {
    throw new TypeError(
      `deploy() option "entrypoint" is "${options.entrypoint}". Write it as "path/to/file.ts:exportName".`,
    );
  }
  const own = hasTiming(options) ? [timingOf(options)] : [];
  const limit = limitOf(options.concurrencyLimit);
  return {
    flow,
    // Its parameters are only read again together with its flow.
    options: options as PlanOptions,
    globalLimit: limit.globalLimit,
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
      // What is not said is left as people set it elsewhere.
      ...(options.concurrencyLimit === undefined
        ? {}
        : { concurrency_limit: limit.slots, concurrency_options: limit.rules }),
      ...placeOf(options),
    },
  };
}

/** As {@link planDeployment} has planned it, of the configured control plane; throws what `applyDeployment` throws. */
export async function deployPlanned(planned: PlannedDeployment): Promise<DeploymentId> {
  const client = requiredClient("deploy()");
  const { applyDeployment } = await import("./apply-deployment.ts");
  return await applyDeployment(client, planned);
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

function limitOf(given: DeploymentOptions["concurrencyLimit"]): {
  readonly slots: number | null;
  readonly globalLimit: string | null;
  readonly rules: ConcurrencyOptions | null;
} {
  if (given == null) return { slots: null, globalLimit: null, rules: null };
  const said = typeof given === "number" ? { limit: given } : given;
  const { collisionStrategy = "ENQUEUE", gracePeriod } = said as LimitRules;
  const grace =
    gracePeriod === undefined ? null : parseDuration(gracePeriod, 'concurrencyLimit option "gracePeriod"') / 1_000;
  if (grace !== null && !(Number.isInteger(grace) && grace >= MIN_GRACE_SECONDS && grace <= MAX_GRACE_SECONDS)) {
    throw new TypeError(
      `concurrencyLimit option "gracePeriod" is ${JSON.stringify(gracePeriod)}. Give whole seconds from "1m" to "1d".`,
    );
  }
  const slots = "limit" in said ? said.limit : null;
  const globalLimit = "globalLimit" in said ? said.globalLimit : null;
  if ((slots === null) === (globalLimit === null)) {
    throw new TypeError('concurrencyLimit takes either "limit", a number of its own, or "globalLimit", a name.');
  }
  return { slots, globalLimit, rules: { collision_strategy: collisionStrategy, grace_period_seconds: grace } };
}

function placeOf(options: Partial<DeploymentPlace>): Partial<DeploymentCreate> {
  const { workPool, workQueue, entrypoint, source, path, image, jobVariables } = options;
  if (workPool === undefined) return {};
  const isHere = image === undefined && source === undefined;
  const here = isHere ? (globalThis.process?.cwd?.() ?? null) : null;
  return {
    work_pool_name: workPool,
    ...(workQueue === undefined ? {} : { work_queue_name: workQueue }),
    ...(entrypoint === undefined ? {} : { entrypoint }),
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
