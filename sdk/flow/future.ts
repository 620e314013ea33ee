/** Results of tasks that were submitted. */
import type { TaskRunId } from "../protocol/ids.ts";
import type { State } from "../protocol/states.ts";
import type { WaitOptions } from "./background/delayed-run.ts";
import { TimedOutError } from "./errors.ts";
import type { RunState } from "./states.ts";
import { all, untilEnded } from "./wait.ts";
import { isBounded, timeoutOf, within } from "./within.ts";

const FUTURE = Symbol.for("sluice.future");

/** What the engine keeps of a submitted task run. */
export interface FutureSource<R> {
  readonly taskRunId: TaskRunId;
  readonly name: string;
  /** A function for one whose end is only looked for when somebody asks. */
  readonly settled: Promise<R> | (() => Promise<R>);
  state(): State | null;
}

/**
 * A submitted task run. Not a promise, so that it can be handed to another task as an argument, which then waits for
 * it by itself. A failure that nobody asks for is only seen in the task run's state.
 */
export class TaskFuture<R> {
  readonly [FUTURE] = true;
  readonly taskRunId: TaskRunId;
  /** Name of the task run. */
  readonly name: string;
  readonly #source: FutureSource<R>;

  constructor(source: FutureSource<R>) {
    this.taskRunId = source.taskRunId;
    this.name = source.name;
    this.#source = source;
    if (typeof source.settled !== "function") source.settled.catch(() => undefined);
  }

  /**
   * What the task returned. Throws what it threw, after its last retry, and {@link TimedOutError} when it has not ended
   * within `timeout` (default: for ever); the task runs on.
   */
  result(options: WaitOptions = {}): Promise<R> {
    const { settled } = this.#source;
    const result = typeof settled === "function" ? settled() : settled;
    return isBounded(options) ? this.#within(result, options, "result()") : result;
  }

  /**
   * Waits for the task run to end, however it ends, and answers its state. Throws {@link TimedOutError} when it has not
   * ended within `timeout` (default: for ever); the task runs on.
   */
  async wait(options: WaitOptions = {}): Promise<State | null> {
    const end = this.result().then(ignore, ignore);
    await (isBounded(options) ? this.#within(end, options, "wait()") : end);
    return this.#source.state();
  }

  /** The state of the task run at this moment; null before it has one. */
  state(): State | null {
    return this.#source.state();
  }

  async #within<T>(work: Promise<T>, options: WaitOptions, where: string): Promise<T> {
    const timeoutMs = timeoutOf(options, where);
    const late = (): Error => new TimedOutError(`Waiting for task run "${this.name}"`, timeoutMs ?? 0);
    return await within(work, timeoutMs, options.signal, late);
  }
}

/** Futures of one `map`, in the order of its items. */
export class TaskFutures<R> extends Array<TaskFuture<R>> {
  /** Derived arrays (`filter`, `slice`) are plain ones. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  /**
   * What the tasks returned, in the order of the items. Waits for all of them, then throws the first item's failure. Throws
   * {@link TimedOutError} when not all have ended within `timeout` (default: for ever).
   */
  async results(options: WaitOptions = {}): Promise<R[]> {
    return await all<TaskFutures<R>>(this, options);
  }

  /**
   * Waits for all to end, however they end, and answers their states in the order of the items. Throws
   * {@link TimedOutError} when not all have ended within `timeout` (default: for ever).
   */
  async wait(options: WaitOptions = {}): Promise<(State | null)[]> {
    await untilEnded(this, options);
    return this.map((future) => future.state());
  }
}

export function isFuture(value: unknown): value is TaskFuture<unknown> {
  return typeof value === "object" && value !== null && FUTURE in value;
}

/**
 * What a task takes where its function takes `T`: the value, a future of it, or the state of a run that answered it; for a
 * list also a list of these.
 */
export type OrFuture<T> =
  | T
  | TaskFuture<T>
  | RunState<T>
  | (T extends readonly (infer E)[] ? readonly (E | TaskFuture<E> | RunState<E>)[] | TaskFutures<E> : never);

/** Arguments of a task, each of which may be a future or a state. */
export type OrFutures<A extends readonly unknown[]> = { [K in keyof A]: OrFuture<A[K]> };

function ignore(): void {}
