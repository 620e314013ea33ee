/** Which calls of a task have the same result. */
import type { JsonObject } from "../../protocol/flow-runs.ts";
import { canonical, sha256 } from "./hash.ts";

/** What a policy may look at. */
export interface CacheContext {
  readonly taskName: string;
  /** The name and a hash of the task's source. */
  readonly taskKey: string;
  /** The arguments by the names of the function's parameters; unnamed ones are `argument0` and so on. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Null outside of flow runs. */
  readonly flowRunId: string | null;
  readonly flowParameters: JsonObject | null;
}

type Part = (context: CacheContext) => unknown;

/** A policy makes a key of a call: calls with the same key share a result. Made by the constants and `cacheKey`. */
export class CachePolicy {
  readonly #parts: readonly Part[];
  /** Inputs that make no difference. */
  readonly #ignored: ReadonlySet<string>;

  constructor(parts: readonly Part[], ignored: ReadonlySet<string> = new Set()) {
    this.#parts = parts;
    this.#ignored = ignored;
  }

  /** Calls are the same only if the other policy says so, too. */
  plus(other: CachePolicy): CachePolicy {
    return new CachePolicy([...this.#parts, ...other.#parts], new Set([...this.#ignored, ...other.#ignored]));
  }

  /** The argument with this name makes no difference. */
  minus(...inputs: readonly string[]): CachePolicy {
    return new CachePolicy(this.#parts, new Set([...this.#ignored, ...inputs]));
  }

  /** The key of a call; null when it is not to be cached. Throws `UnhashableError` for inputs that have no hash. */
  async key(context: CacheContext): Promise<string | null> {
    if (this.#parts.length === 0) return null;
    const inputs = Object.fromEntries(Object.entries(context.inputs).filter(([name]) => !this.#ignored.has(name)));
    const values: unknown[] = [];
    for (const part of this.#parts) {
      const value = await part({ ...context, inputs });
      if (value === null || value === undefined) return null;
      values.push(value);
    }
    return await sha256(canonical(values, "inputs"));
  }
}

/** Calls with equal arguments. */
export const INPUTS = new CachePolicy([({ inputs, taskName }) => ["inputs", taskName, inputs]]);
/** Calls of a task whose source is the same. */
export const TASK_SOURCE = new CachePolicy([({ taskKey }) => ["source", taskKey]]);
/** Calls in the same flow run. */
export const RUN_ID = new CachePolicy([({ flowRunId }) => flowRunId && ["run", flowRunId]]);
/** Calls in flow runs with equal parameters. */
export const FLOW_PARAMETERS = new CachePolicy([
  ({ flowParameters }) => flowParameters && ["parameters", flowParameters],
]);
/** No two calls are the same. What a task without `cache` does. */
export const NO_CACHE = new CachePolicy([]);

/** Calls for which the function answers the same. Null or undefined is not cached. */
export function cacheKey(make: (context: CacheContext) => unknown): CachePolicy {
  return new CachePolicy([make]);
}
