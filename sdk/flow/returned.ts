/** What a call answers, by what its function returns. */
import type { TaskFuture, TaskFutures } from "./future.ts";
import type { EndState, RunState } from "./states.ts";

type Settled<E> = E extends TaskFuture<infer T> ? T : E extends RunState<infer T> ? T : never;

type Items<R> =
  R extends TaskFutures<infer T>
    ? T[]
    : R extends readonly (TaskFuture<unknown> | RunState<unknown>)[]
      ? { -readonly [K in keyof R]: Settled<R[K]> }
      : R;

/** A returned state gives its data, a future or state its result, a list of them the list of their results. */
export type Returned<R> =
  R extends EndState<infer T>
    ? T
    : R extends TaskFuture<infer T>
      ? T
      : R extends RunState<infer T>
        ? T
        : R extends readonly []
          ? R
          : Items<R>;

type IsAny<T> = 0 extends 1 & T ? true : false;

/** What a generator function yields; never for another function. */
export type YieldOf<R> =
  IsAny<R> extends true
    ? never
    : R extends AsyncGenerator<infer T, unknown, never> | Generator<infer T, unknown, never>
      ? T
      : never;

/** What a submitted call answers: the list of what a generator yields. */
export type Result<R> = [YieldOf<R>] extends [never] ? Returned<Awaited<R>> : YieldOf<R>[];

/**
 * A call of a generator. Awaited, it runs to its end and answers the list of what it yields; iterated by `for await`, each
 * item is answered when it is made, and the generator waits for the next to be asked for. It begins when one of both is
 * done, and it is done once: the second time throws.
 */
export interface GeneratorCall<T> extends PromiseLike<T[]>, AsyncIterable<T, void, void> {}

/** What a plain call answers. */
export type Called<R> = [YieldOf<R>] extends [never] ? Promise<Result<R>> : GeneratorCall<YieldOf<R>>;
