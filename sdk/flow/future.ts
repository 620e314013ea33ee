/** Results of tasks that were submitted. */
import type { TaskRunId } from "../protocol/ids.ts";
import type { State } from "../protocol/states.ts";

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

  /** What the task returned. Throws what it threw, after its last retry. */
  result(): Promise<R> {
    const { settled } = this.#source;
    return typeof settled === "function" ? settled() : settled;
  }

  /** Waits for the task run to end, however it ends, and answers its state. */
  async wait(): Promise<State | null> {
    await this.result().then(ignore, ignore);
    return this.#source.state();
  }

  /** The state of the task run at this moment; null before it has one. */
  state(): State | null {
    return this.#source.state();
  }
}

/** Futures of one `map`, in the order of its items. */
export class TaskFutures<R> extends Array<TaskFuture<R>> {
  /** Derived arrays (`filter`, `slice`) are plain ones. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  /** What the tasks returned, in the order of the items. Waits for all of them, then throws the first item's failure. */
  async results(): Promise<R[]> {
    await this.wait();
    return await Promise.all(this.map((future) => future.result()));
  }

  /** Waits for all to end, however they end, and answers their states in the order of the items. */
  async wait(): Promise<(State | null)[]> {
    return await Promise.all(this.map((future) => future.wait()));
  }
}

export function isFuture(value: unknown): value is TaskFuture<unknown> {
  return typeof value === "object" && value !== null && FUTURE in value;
}

/** What a task takes where its function takes `T`: the value, or a future of it; for a list also a list of futures. */
export type OrFuture<T> =
  | T
  | TaskFuture<T>
  | (T extends readonly (infer E)[] ? readonly (E | TaskFuture<E>)[] | TaskFutures<E> : never);

/** Arguments of a task, each of which may be a future. */
export type OrFutures<A extends readonly unknown[]> = { [K in keyof A]: OrFuture<A[K]> };

function ignore(): void {}
