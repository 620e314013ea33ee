/** Delays between the attempts of a task. */
import type { TaskRunPolicy } from "../protocol/task-runs.ts";
import { type Duration, parseDuration } from "./duration.ts";

/** The delay before retry number `retry` (1 for the first), in milliseconds. */
export type RetryDelayFunction = (retry: number) => number;

/** One delay for all retries, one for each (the last repeats), or a function of the retry's number. */
export type RetryDelay = Duration | readonly Duration[] | RetryDelayFunction;

/** As many delays are written into a task's policy; the last one repeats. Prefect's bound. */
const MAX_LISTED_DELAYS = 50;

/**
 * Delays that grow by a factor: `base × factor^(retry − 1)`, at most `max`.
 * Defaults: `base` "1s", `factor` 2, no `max`. With them the delays are 1 s, 2 s, 4 s, 8 s …
 */
export function exponentialBackoff(
  options: { base?: Duration; factor?: number; max?: Duration } = {},
): RetryDelayFunction {
  const baseMs = parseDuration(options.base ?? "1s", 'exponentialBackoff option "base"');
  const factor = options.factor ?? 2;
  const maxMs = options.max === undefined ? Infinity : parseDuration(options.max, 'exponentialBackoff option "max"');
  if (!(factor > 0)) throw new TypeError(`exponentialBackoff option "factor" is ${factor}. Give a number above 0.`);
  return (retry) => Math.min(maxMs, baseMs * factor ** (retry - 1));
}

/** Retries as the wire has them: delays in seconds. */
export function retryPolicy(
  owner: string,
  options: { retries?: number; retryDelay?: RetryDelay; retryJitterFactor?: number },
): TaskRunPolicy {
  const retries = options.retries ?? 0;
  if (!Number.isInteger(retries) || retries < 0) {
    throw new TypeError(`${owner} option "retries" is ${retries}. Give a whole number of 0 or more.`);
  }
  const jitter = options.retryJitterFactor ?? null;
  if (jitter !== null && !(jitter >= 0)) {
    throw new TypeError(`${owner} option "retryJitterFactor" is ${jitter}. Give a number of 0 or more.`);
  }
  return {
    max_retries: retries,
    retry_delay_seconds: 0,
    retries,
    retry_delay: delaySeconds(owner, retries, options.retryDelay ?? 0),
    retry_jitter_factor: jitter,
  };
}

function delaySeconds(owner: string, retries: number, delay: RetryDelay): number | number[] {
  const where = `${owner} option "retryDelay"`;
  if (typeof delay === "function") {
    const count = Math.min(retries, MAX_LISTED_DELAYS);
    return Array.from({ length: count }, (_, index) => parseDuration(delay(index + 1), where) / 1_000);
  }
  if (typeof delay === "object") {
    return delay.slice(0, MAX_LISTED_DELAYS).map((one) => parseDuration(one, where) / 1_000);
  }
  return parseDuration(delay, where) / 1_000;
}
