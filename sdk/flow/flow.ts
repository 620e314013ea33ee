/** Declares flows. */
import type { FlowRunPolicy, JsonObject } from "../protocol/flow-runs.ts";
import type { DeploymentId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { FlowContext } from "./context.ts";
import {
  type DeploymentOptions,
  type DeployOptions,
  deployPlanned,
  type PlannedDeployment,
  type PlanOptions,
  planDeployment,
} from "./deploy/deployment.ts";
import { flowFrom } from "./deploy/flow-from.ts";
import { type ServeOptions, serve } from "./deploy/serve.ts";
import { type Duration, parseDuration } from "./duration.ts";
import { callFlow, stateOfFlow } from "./engine/call-flow.ts";
import type { Hooks } from "./hooks.ts";
import type { Called, Result } from "./returned.ts";
import type { SchemaInput, SchemaOutput, StandardSchema } from "./standard-schema.ts";
import type { RunState } from "./states.ts";

/** How a flow runs. Everything may be left out. */
export interface FlowOptions {
  /** Default: the name of the function, with `-` for `_`. Flows are known to the control plane by it. */
  readonly name?: string;
  /** Shown with its runs and deployments. Default: none. */
  readonly version?: string;
  /** Shown with its deployments. Default: none. */
  readonly description?: string;
  /**
   * Name of each run: a function of its parameters, or text with their names in braces, `"{customer}-{day}"`. Default:
   * two made-up words.
   */
  readonly flowRunName?: string | ((parameters: JsonObject) => string);
  /** How often the whole flow is run again after it failed. Default 0. */
  readonly retries?: number;
  /** Wait before each retry: milliseconds, or text such as "30s". Default 0. */
  readonly retryDelay?: Duration;
  /** The flow fails as TimedOut after this span, and its signal aborts. Default: none. */
  readonly timeout?: Duration;
  /** Whether `console.log` and its like, in the flow and its tasks, are also kept as log lines. Default true. */
  readonly captureConsole?: boolean;
  /** Whether its log lines tell its parameters and its result, secrets masked. Default: the setting `runLogs`. */
  readonly logValues?: boolean;
  /** Of each run of the flow. Default: none. */
  readonly tags?: readonly string[];
  /**
   * Whether tasks that do not say persist their results, so that another attempt of the run, in this process or after a
   * crash in another, does not run them again. Default: in runs of deployments they do.
   */
  readonly persist?: boolean;
  /** Called when an attempt begins; the attempt waits for it. */
  readonly onRunning?: Hooks<FlowContext>;
  /** Called when the run is Completed. */
  readonly onCompletion?: Hooks<FlowContext>;
  /** Called when the run has failed for good. */
  readonly onFailure?: Hooks<FlowContext>;
  /** Called when the run was cancelled, in the process that ran it. */
  readonly onCancellation?: Hooks<FlowContext>;
  /** Called when somebody else ended the run as Crashed, or its owner was lost, while this process ran it. */
  readonly onCrashed?: Hooks<FlowContext>;
  /** Submitted and mapped tasks of one run that run at the same time. Default 32. Plain calls do not count. */
  readonly concurrency?: number;
}

/** {@link FlowOptions} with a schema for the parameters, of any library that speaks Standard Schema. */
export interface FlowOptionsWithParameters<S extends StandardSchema> extends FlowOptions {
  /** Parses the parameters before the flow runs; the flow's function gets what it answers. */
  readonly parameters: S;
}

/** A flow without parameters. */
export type NoParameters = Record<string, never>;

type FlowArguments<P> = undefined extends P
  ? [parameters?: NonNullable<P>]
  : Record<never, never> extends P
    ? [parameters?: P]
    : [parameters: P];

const DEFINITION = Symbol.for("sluice.flow");

type FlowHooks = Pick<FlowOptions, "onRunning" | "onCompletion" | "onFailure" | "onCancellation" | "onCrashed">;

/** What the engine knows of a flow. */
export interface FlowDefinition {
  readonly name: string;
  readonly version: string | null;
  readonly description: string | null;
  readonly runName: string | ((parameters: JsonObject) => string) | null;
  readonly policy: FlowRunPolicy;
  readonly timeoutMs: number | null;
  readonly captureConsole: boolean;
  /** Null: as the setting says. */
  readonly logValues: boolean | null;
  readonly tags: readonly string[];
  readonly persist: boolean | null;
  readonly concurrency: number;
  readonly hooks: FlowHooks;
  readonly parameters: StandardSchema | null;
  readonly run: (parameters: unknown, context: FlowContext) => unknown;
}

/**
 * A flow. Calling it makes a flow run, in the control plane that `SLUICE_API_URL` names or, without one, in this
 * process, and answers what its function returns; throws what its function throws, after the last retry. Of a generator
 * function, see {@link GeneratorCall}. `this` is handed on to the function.
 */
export interface Flow<P, R> {
  (this: unknown, ...parameters: FlowArguments<P>): Called<R>;
  /** Name of the flow (not of its function). */
  readonly name: string;
  /** Runs the flow and answers its last state, however it ended, in place of throwing what the flow throws. */
  returnState(...parameters: FlowArguments<P>): Promise<RunState<Result<R>>>;
  /** The same flow with other options; those that are not named stay as they are. */
  withOptions(options: FlowOptions): Flow<P, R>;
  /**
   * Makes a deployment of the flow and executes its runs in this process until a signal ends it. Throws `SluiceError`
   * where there is no control plane, or what it refuses.
   */
  serve(options: DeploymentOptions<P> & ServeOptions): Promise<void>;
  /**
   * Makes or changes a deployment whose runs the workers of a pool execute, and answers its id. Throws `SluiceError`
   * where there is no control plane, and what it refuses: an unknown pool, variables that its template does not take.
   */
  deploy(options: DeployOptions<P>): Promise<DeploymentId>;
  /**
   * Plans a deployment for `serve([...])` or `deploy([...])`; for the latter, where its runs are executed may be said here.
   * Sends nothing.
   */
  toDeployment(options: PlanOptions<P>): PlannedDeployment;
  readonly [DEFINITION]: FlowDefinition;
}

/** Any flow, whatever it takes and returns. */
export interface AnyFlow {
  readonly name: string;
  readonly [DEFINITION]: FlowDefinition;
}

/**
 * Makes a flow of a function. The function gets its parameters, one object, and a {@link FlowContext}.
 *
 * Throws TypeError for options that cannot be.
 */
export function flow<S extends StandardSchema, R>(
  options: FlowOptionsWithParameters<S>,
  run: (parameters: SchemaOutput<S>, context: FlowContext) => R,
): Flow<SchemaInput<S>, R>;
export function flow<R, P extends object | undefined = NoParameters>(
  options: FlowOptions & { readonly parameters?: never },
  run: (parameters: P, context: FlowContext) => R,
): Flow<P, R>;
export function flow<R, P extends object | undefined = NoParameters>(
  run: (parameters: P, context: FlowContext) => R,
): Flow<P, R>;
export function flow(
  first: (FlowOptions & { readonly parameters?: StandardSchema }) | FlowDefinition["run"],
  second?: FlowDefinition["run"],
): Flow<unknown, unknown> {
  const options = typeof first === "function" ? {} : first;
  const run = typeof first === "function" ? first : second;
  if (typeof run !== "function") throw new TypeError("flow() needs a function: flow({ name }, async () => { … }).");
  const definition = define(options, run);
  function called(this: unknown, parameters?: unknown): unknown {
    return callFlow(definition, parameters, this);
  }
  const members = {
    returnState: (parameters?: unknown) => stateOfFlow(definition, parameters),
    withOptions: (changed: FlowOptions) => flow({ ...options, ...changed } as FlowOptions, run),
    serve: (how: DeploymentOptions & ServeOptions) => serve(planDeployment(made, how), how),
    deploy: (how: DeployOptions) => deployPlanned(planDeployment(made, how)),
    toDeployment: (how: PlanOptions) => planDeployment(made, how),
  };
  const made = Object.defineProperties(Object.assign(called, members), {
    name: { value: definition.name },
    [DEFINITION]: { value: definition },
  }) as unknown as Flow<unknown, unknown>;
  return made;
}

/** {@inheritDoc flowFrom} */
flow.from = flowFrom;

/** Whether a value is a flow, also one of another copy of this package. */
export function isFlow(value: unknown): value is AnyFlow {
  return typeof value === "function" && DEFINITION in value;
}

/** What the engine knows of a flow. */
export function definitionOf(one: AnyFlow): FlowDefinition {
  return one[DEFINITION];
}

function define(
  options: FlowOptions & { readonly parameters?: StandardSchema },
  run: FlowDefinition["run"],
): FlowDefinition {
  const name = options.name ?? run.name.replaceAll("_", "-");
  if (name.length === 0 || name.length > LIMITS.nameChars) {
    throw new TypeError(
      `The flow's name is ${JSON.stringify(name)}. Give one of 1 to ${LIMITS.nameChars} characters: flow({ name: "…" }, …).`,
    );
  }
  const owner = `Flow "${name}"`;
  const retries = options.retries ?? 0;
  if (!Number.isInteger(retries) || retries < 0 || retries > LIMITS.retries) {
    throw new TypeError(`${owner} option "retries" is ${retries}. Give a whole number from 0 to ${LIMITS.retries}.`);
  }
  const concurrency = options.concurrency ?? 32;
  if (!(concurrency >= 1)) throw new TypeError(`${owner} option "concurrency" is ${concurrency}. Give 1 or more.`);
  return {
    name,
    version: options.version ?? null,
    description: options.description ?? null,
    runName: options.flowRunName ?? null,
    policy: {
      max_retries: 0,
      retry_delay_seconds: 0,
      retries,
      retry_delay: parseDuration(options.retryDelay ?? 0, `${owner} option "retryDelay"`) / 1_000,
      pause_keys: [],
      resuming: false,
      retry_type: null,
    },
    timeoutMs: options.timeout === undefined ? null : parseDuration(options.timeout, `${owner} option "timeout"`),
    captureConsole: options.captureConsole ?? true,
    logValues: options.logValues ?? null,
    tags: options.tags ?? [],
    persist: options.persist ?? null,
    concurrency,
    hooks: options,
    parameters: options.parameters ?? null,
    run,
  };
}
