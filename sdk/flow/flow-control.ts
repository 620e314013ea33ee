/** How runs of a deployment are limited by a key of their parameters, debounced and throttled. */
import { SluiceError } from "../protocol/errors.ts";
import type { CONCURRENCY_STRATEGIES, FlowControl, ON_LOST } from "../protocol/flow-control.ts";
import { configuredClient } from "./configuration.ts";
import { type Duration, parseDuration } from "./duration.ts";
import type { Flow } from "./flow.ts";

/**
 * What runs have in common: a path such as `parameters.customer`, or the parameter itself, `p => p.customer`. The selector
 * is not sent anywhere: which parameter it names is found out here.
 */
export type RunKey<P> = string | ((parameters: P) => unknown);

/** Everything may be left out. */
export interface FlowControlOptions<P> {
  /** How many runs of each key there are at the same time. Default: no limit. */
  readonly concurrency?: {
    /** Default: all runs of the deployment have the same key. */
    readonly key?: RunKey<P>;
    /** Runs of each key at the same time; with "round-robin" of all keys together. Default 1. */
    readonly limit?: number;
    /**
     * What becomes of one more run. Default "queue": it waits. "skip": it is cancelled. "cancel-running": it replaces the
     * one in progress. "round-robin": it waits, and free slots are given to one key after the other.
     */
    readonly strategy?: (typeof CONCURRENCY_STRATEGIES)[number];
  };
  /** A run waits for this long, and gives way when another one of its key comes meanwhile. */
  readonly debounce?: { readonly key?: RunKey<P>; readonly wait: Duration };
  /** At most `limit` runs of a key begin within `per`; more are put off. */
  readonly throttle?: { readonly key?: RunKey<P>; readonly limit: number; readonly per: Duration };
  /** A run that is not started within this span of its time ends Cancelled. Default: it waits for ever. */
  readonly timeToLive?: Duration;
  /**
   * What becomes of a run whose process crashes or is not heard of any more. Default "crash": it ends Crashed. "retry": it is
   * offered again and continues after its last finished task; the third time it ends Crashed.
   */
  readonly onLost?: (typeof ON_LOST)[number];
}

/**
 * Says how the runs of a flow's deployment are limited; what is left out ceases to hold. It takes effect at once, also for
 * runs that wait.
 *
 * Throws TypeError for a selector that names no parameter, and `SluiceError` for limits that cannot be, without a control
 * plane, or without the deployment.
 */
export async function setFlowControl<P, R>(
  flow: Flow<P, R>,
  deployment: string,
  options: FlowControlOptions<P>,
): Promise<void> {
  const body = flowControlOf(options);
  const client = configuredClient();
  if (client === null) {
    throw new SluiceError("not_configured", `There is no control plane that keeps "${flow.name}/${deployment}".`, {
      fix: "Set SLUICE_API_URL.",
    });
  }
  const [{ readDeploymentByName }, { writeFlowControl }] = await Promise.all([
    import("../protocol/deployments.ts"),
    import("../protocol/flow-control.ts"),
  ]);
  const { id } = await client.call(readDeploymentByName, { params: { flow: flow.name, deployment } });
  await client.call(writeFlowControl, { params: { id }, body });
}

/** The options as they travel, for the control plane to judge. Throws TypeError for spans and selectors that are none. */
export function flowControlOf<P>({
  concurrency,
  debounce,
  throttle,
  timeToLive,
  onLost,
}: FlowControlOptions<P>): FlowControl {
  const seconds = (span: Duration, where: string): number => parseDuration(span, where) / 1_000;
  return {
    on_lost: onLost ?? null,
    time_to_live_seconds: timeToLive === undefined ? null : seconds(timeToLive, "timeToLive"),
    concurrency:
      concurrency === undefined
        ? null
        : { key: pathOf(concurrency.key), limit: concurrency.limit ?? 1, strategy: concurrency.strategy ?? "queue" },
    debounce:
      debounce === undefined ? null : { key: pathOf(debounce.key), seconds: seconds(debounce.wait, "debounce.wait") },
    throttle:
      throttle === undefined
        ? null
        : { key: pathOf(throttle.key), limit: throttle.limit, seconds: seconds(throttle.per, "throttle.per") },
  };
}

function pathOf<P>(key: RunKey<P> | undefined): string | null {
  if (key === undefined) return null;
  return typeof key === "string" ? key : parameterPath(key);
}

const PATH = Symbol("path");

/**
 * The path of the parameter that a selector names: `p => p.customer.id` is `parameters.customer.id`.
 *
 * Throws TypeError for a selector that computes something: the server could not.
 */
export function parameterPath<P>(selector: (parameters: P) => unknown): string {
  const node = (path: string): object =>
    new Proxy(Object.create(null), {
      get: (_, name) => {
        if (name === PATH) return path;
        if (typeof name === "symbol") throw unusable(selector);
        return node(`${path}.${name}`);
      },
    });
  let selected: unknown;
  try {
    selected = selector(node("parameters") as P);
  } catch (error) {
    throw error instanceof TypeError ? unusable(selector) : error;
  }
  const path = typeof selected === "object" && selected !== null ? Reflect.get(selected, PATH) : undefined;
  if (typeof path !== "string" || path === "parameters") throw unusable(selector);
  return path;
}

function unusable(selector: unknown): TypeError {
  return new TypeError(`The selector ${String(selector)} names no parameter. Give one such as p => p.customer.id.`);
}
