/**
 * Flow control of a deployment, beyond Prefect's API: limits by a key of each run, so that one customer cannot starve
 * the others, and what becomes of triggers that come too fast.
 *
 * A key is a path into the run, such as `parameters.customer`. The server evaluates it when the run is made, whoever makes
 * it, and keeps it as the run's label {@link KEY_LABEL}. It has an endpoint of its own, since Prefect's clients refuse
 * concurrency options that they do not know.
 */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import type { JsonObject } from "./flow-runs.ts";
import { DeploymentId, FlowRunId } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { WireTime } from "./time.ts";

/** The label that keeps a run's key. */
export const KEY_LABEL = "sluice.concurrency.key";

/**
 * The label that keeps for how many seconds a run may wait to be started. Whoever makes a run may set it, which goes before
 * what the deployment says.
 */
export const TTL_LABEL = "sluice.time_to_live_seconds";

/** The label that keeps what becomes of a run whose process is lost. Whoever makes a run may set it. */
export const ON_LOST_LABEL = "sluice.on_lost";

/** What may become of a run whose process is lost: it ends Crashed, or it is offered again. */
export const ON_LOST = ["crash", "retry"] as const;

/** The label of a run of a schedule that was debounced or throttled: when it may begin. */
export const TRIGGERED_LABEL = "sluice.flow_control.begins_at";

/** What the state of a run says that is put off. */
export function whyPutOff(isDebounced: boolean): string {
  const why = isDebounced ? "in case another one of its key comes" : "since too many of its key began";
  return `Its deployment puts it off ${why}.`;
}

/** Where the value of a key stands in a run: `parameters` or `tags`, then names and positions, with dots between. */
export const KeyPath = z
  .string()
  .max(LIMITS.nameChars)
  .regex(
    /^(parameters|tags)(\.[^.\s]+)+$/,
    "must begin with parameters. or tags. and name a value, such as parameters.customer",
  );

/** What may become of one run more than a key's limit; {@link KeyedConcurrency} says what each means. */
export const CONCURRENCY_STRATEGIES = ["queue", "skip", "cancel-running", "round-robin"] as const;

/** How many runs of each key are in progress at the same time, and what becomes of one more. */
export const KeyedConcurrency = z.object({
  /** Null: all runs of the deployment have the same key. */
  key: KeyPath.nullish().transform((key) => key ?? null),
  /** Runs of each key at the same time; of all keys together with "round-robin". Default 1. */
  limit: z.int().min(1).max(1_000_000).default(1),
  /**
   * - `queue`: it waits, in the order in which the runs were due
   * - `skip`: it is cancelled
   * - `cancel-running`: it takes the place of the run in progress, which is cancelled
   * - `round-robin`: it waits, and free slots are given to one key after the other
   */
  strategy: z.enum(CONCURRENCY_STRATEGIES).default("queue"),
});
export type KeyedConcurrency = z.infer<typeof KeyedConcurrency>;

const span = z
  .number()
  .positive()
  .max(7 * 86_400);

/** All that is said of a deployment's runs beyond Prefect's API. Null, or absent in a request, says nothing of it. */
export const FlowControl = z.object({
  /** A run that is not started within so many seconds of its time ends Cancelled, named Expired. */
  time_to_live_seconds: z
    .number()
    .positive()
    .max(365 * 86_400)
    .nullish()
    .transform((value) => value ?? null),
  concurrency: KeyedConcurrency.nullish().transform((value) => value ?? null),
  /**
   * What becomes of a run whose process crashes or is not heard of any more. `crash`, the default: it ends Crashed.
   * `retry`: it is offered again, and continues after its last finished task; the third time it ends Crashed.
   */
  on_lost: z
    .enum(ON_LOST)
    .nullish()
    .transform((value) => value ?? null),
  /** A run waits this long, and is cancelled when another one of its key comes meanwhile: the last one runs. */
  debounce: z
    .object({ key: KeyedConcurrency.shape.key, seconds: span })
    .nullish()
    .transform((value) => value ?? null),
  /** At most `limit` runs of a key begin within `seconds`; more are put off until they may. */
  throttle: z
    .object({ key: KeyedConcurrency.shape.key, limit: z.int().min(1).max(1_000_000), seconds: span })
    .nullish()
    .transform((value) => value ?? null),
});
export type FlowControl = z.infer<typeof FlowControl>;

/** A deployment of which nothing was said. */
export const NO_FLOW_CONTROL: FlowControl = Object.freeze({
  time_to_live_seconds: null,
  concurrency: null,
  on_lost: null,
  debounce: null,
  throttle: null,
});

/** What a key is read from. */
export interface KeySource {
  readonly parameters: JsonObject;
  readonly tags: readonly string[];
}

/** Characters of a key as they stand there; of longer ones the beginning, with a number made of all. */
const KEY_CHARS = 200;

/** The key of a run: the value at the path as text, JSON for what is no text; `null` where there is nothing. */
export function keyOf(path: string | null, source: KeySource): string {
  if (path === null) return "";
  const [root, ...names] = path.split(".");
  let value: unknown = root === "tags" ? source.tags : source.parameters;
  for (const name of names) {
    const isHolder = typeof value === "object" && value !== null && Object.hasOwn(value, name);
    value = isHolder ? (value as Record<string, unknown>)[name] : undefined;
  }
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "null");
  return text.length <= KEY_CHARS ? text : `${text.slice(0, KEY_CHARS)}#${fingerprint(text)}`;
}

/** 64 bits of FNV-1a over the UTF-16 units, in hexadecimal. */
function fingerprint(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (let index = 0; index < text.length; index++) {
    hash = ((hash ^ BigInt(text.charCodeAt(index))) * 0x100000001b3n) & 0xffffffffffffffffn;
  }
  return hash.toString(16);
}

/** A run that holds a slot of its key, or waits for one. */
const KeyedRun = z.object({ flow_run_id: FlowRunId, key: z.string(), since: WireTime });

/** Who has slots and who waits for them, in the order in which they are served within each key. */
export const KeyedOccupancy = z.object({
  holders: z.array(KeyedRun),
  waiters: z.array(KeyedRun.extend({ position: z.int() })),
});
export type KeyedOccupancy = z.infer<typeof KeyedOccupancy>;

const byId = z.object({ id: DeploymentId });

/** Has nulls where nothing was said. 404 when there is no such deployment. */
export const readFlowControl = endpoint({
  id: "read_deployment_flow_control",
  method: "GET",
  path: "/deployments/:id/flow_control",
  tag: "Deployments",
  role: "viewer",
  summary:
    "Read how runs of a deployment are limited by key, debounced and throttled, how long they wait, what a loss means.",
  params: byId,
  returns: FlowControl,
});
/**
 * Runs that wait for a slot of their key go by the new limit. Nulls alone take everything away. 404 when there is no
 * such deployment.
 */
export const writeFlowControl = endpoint({
  id: "write_deployment_flow_control",
  method: "PUT",
  path: "/deployments/:id/flow_control",
  tag: "Deployments",
  summary: "Say how runs of a deployment are limited by key, debounced and throttled; what is left out ceases to hold.",
  params: byId,
  body: FlowControl,
  returns: FlowControl,
});
/** Answers empty lists for a deployment without a limit by key. 404 when there is no such deployment. */
export const readFlowControlRuns = endpoint({
  id: "read_deployment_flow_control_runs",
  method: "GET",
  path: "/deployments/:id/flow_control/runs",
  tag: "Deployments",
  role: "viewer",
  summary: "List the runs that hold slots of their key, and those that wait for one.",
  params: byId,
  returns: KeyedOccupancy,
});
