/** States that flows and tasks return in place of a value, and what a state says about a result. */
import { type State, type StateType, StateType as StateTypes } from "../protocol/states.ts";
import { errorMessage } from "./errors.ts";

const RETURNED = Symbol.for("sluice.returned-state");

type EndType = Extract<StateType, "COMPLETED" | "FAILED" | "CANCELLED">;

/** What is said of a state that is returned. Everything may be left out; a text alone is the message. */
export interface EndStateOptions<T> {
  /** Default: that of the type, such as "Failed". */
  readonly name?: string;
  /** Shown with the state. Default: none. */
  readonly message?: string;
  /** What the call answers (`Completed`), or throws when it is an error (`Failed`). */
  readonly data?: T;
}

/** A state that a flow or task returns: its run ends in it. Made by `Completed`, `Failed` and `Cancelled`. */
export interface EndState<T> {
  readonly [RETURNED]: T | null;
  readonly type: EndType;
  readonly name: string | null;
  readonly message: string | null;
}

/**
 * Returned by a flow or task, its run ends Completed, with another name or a message: `return Completed("Nothing to do.")`.
 * The call answers `data`.
 */
export function Completed<T = undefined>(options: string | EndStateOptions<T> = {}): EndState<T> {
  return endState("COMPLETED", options);
}

/**
 * Returned by a flow or task, the attempt fails: it is retried like one that threw, and the call throws `data` if that is an
 * error, otherwise a {@link FailedRunError} with the message.
 */
export function Failed(options: string | EndStateOptions<unknown> = {}): EndState<never> {
  return endState<never>("FAILED", options as EndStateOptions<never>);
}

/** Returned by a flow or task, its run ends Cancelled without a retry, and the call throws a {@link CancelledRunError}. */
export function Cancelled(options: string | EndStateOptions<unknown> = {}): EndState<never> {
  return endState<never>("CANCELLED", options as EndStateOptions<never>);
}

function endState<T>(type: EndType, options: string | EndStateOptions<T>): EndState<T> {
  const { name, message, data } = typeof options === "string" ? { message: options } : options;
  const said = data instanceof Error ? errorMessage(data) : null;
  return { [RETURNED]: data ?? null, type, name: name ?? null, message: message ?? said };
}

export function isEndState(value: unknown): value is EndState<unknown> {
  return typeof value === "object" && value !== null && RETURNED in value;
}

/** What a returned state carries; undefined for nothing. */
export function dataOf<T>(state: EndState<T>): T | undefined {
  return state[RETURNED] ?? undefined;
}

/** A run that ended Failed without an error of its own: it returned such a state, or runs in what it returned failed. */
export class FailedRunError extends Error {
  override readonly name: string = "FailedRunError";
}

/** A run that ended Crashed. */
export class CrashedRunError extends Error {
  override readonly name = "CrashedRunError";
}

/** A run that ended Cancelled because it returned that state, or one of the runs in what it returned was cancelled. */
export class CancelledRunError extends Error {
  override readonly name = "CancelledRunError";
}

/** The error that stands for a run that ended in this state. */
export function failureOf({ type, message }: Pick<State, "type" | "message">): Error {
  if (type === "CANCELLED") return new CancelledRunError(message ?? "The run was cancelled.");
  if (type === "CRASHED") return new CrashedRunError(message ?? "The run crashed.");
  return new FailedRunError(message ?? "The run failed.");
}

/** The last state of a run, with what the run answered. */
export interface RunState<R> extends State {
  /** What the run returned. Throws what it threw. */
  result(): R;
}

/** A state with its result. The function is not among what is listed or written as JSON. */
export function runState<R>(state: State, result: () => R): RunState<R> {
  return Object.defineProperty({ ...state }, "result", { value: result }) as RunState<R>;
}

/** Whether a value is a state of some run, as `returnState` and the API answer them. */
export function isRunState(value: unknown): value is State & { readonly result?: () => unknown } {
  if (typeof value !== "object" || value === null) return false;
  const { id, type, timestamp, state_details } = value as Partial<State>;
  const isWhole = typeof id === "string" && typeof timestamp === "string" && typeof state_details === "object";
  return isWhole && StateTypes.safeParse(type).success;
}
