/** Errors of the flow engine. What user code throws is passed on as it is. */
import { SluiceError } from "../protocol/errors.ts";
import type { State } from "../protocol/states.ts";
import { formatDuration } from "./duration.ts";

/** A flow or task that ran into its timeout; its state is Failed with the name TimedOut. */
export class TimedOutError extends Error {
  override readonly name = "TimedOutError";
  readonly timeoutMs: number;

  constructor(what: string, timeoutMs: number) {
    super(`${what} exceeded its timeout of ${formatDuration(timeoutMs)}.`);
    this.timeoutMs = timeoutMs;
  }
}

/**
 * A failure that another attempt would not mend, whatever retries are left: of the task that throws it, and of the flow if
 * it is not caught there. Errors of others with this name (Cloudflare Workflows' one) are taken so, too.
 */
export class NonRetryableError extends Error {
  override readonly name = "NonRetryableError";
}

/** Whether an error leaves open that another attempt fares better. */
export function allowsRetry(error: unknown): boolean {
  return !(error instanceof Error && error.name === "NonRetryableError");
}

/** A flow run that was stopped from outside: cancelled, suspended, or ended by somebody else. */
export class FlowRunStoppedError extends Error {
  override readonly name = "FlowRunStoppedError";
  /** The state that the run was in when it was stopped, if it is known. */
  readonly state: State | null;

  constructor(message: string, state: State | null) {
    super(message);
    this.state = state;
  }
}

/** A flow run that the control plane does not let run: its reason is the message. */
export class FlowRunRefusedError extends Error {
  override readonly name = "FlowRunRefusedError";
  readonly state: State | null;

  constructor(message: string, state: State | null) {
    super(message);
    this.state = state;
  }
}

/** A task that was not started, because a task whose result it takes has failed (its `cause`). */
export class UpstreamFailedError extends Error {
  override readonly name = "UpstreamFailedError";
}

/** What a state says about an error: `Error: no such file`. */
export function errorMessage(error: unknown): string {
  if (error instanceof SluiceError) return `${error.name}: ${error.message} ${error.fix}`;
  if (error instanceof Error) return `${error.name}: ${error.message}`;
  return `Thrown: ${typeof error === "string" ? error : (JSON.stringify(error) ?? String(error))}`;
}

/** What the log says about an error: its stack, and those of its causes. */
export function errorStack(error: unknown): string {
  if (!(error instanceof Error)) return errorMessage(error);
  const own = withFix(error, error.stack ?? errorMessage(error));
  return error.cause === undefined ? own : `${own}\nCaused by: ${errorStack(error.cause)}`;
}

/** A stack begins with the message; what to do about it comes right behind that. */
function withFix(error: Error, stack: string): string {
  if (!(error instanceof SluiceError) || stack.includes(error.fix)) return stack;
  return stack.replace(error.message, () => `${error.message} ${error.fix}`);
}
