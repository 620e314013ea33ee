/** Waiting for several futures, wherever they come from. */
import type { WaitOptions } from "./background/delayed-run.ts";
import { TimedOutError } from "./errors.ts";
import type { TaskFuture, TaskFutures } from "./future.ts";
import { isBounded, timeoutOf, within } from "./within.ts";

/** Which of several task runs have ended. */
export interface Waited<F> {
  /** Those that have ended, however they ended, in the order in which they were given. */
  readonly done: F[];
  /** Those that had not when the timeout had passed. */
  readonly notDone: F[];
}

/** What futures answer, in their order: of a list that is written out, a tuple. */
export type ResultsOf<F extends Iterable<TaskFuture<unknown>>> =
  F extends TaskFutures<infer R>
    ? R[]
    : F extends readonly TaskFuture<unknown>[]
      ? { -readonly [K in keyof F]: F[K] extends TaskFuture<infer R> ? R : never }
      : F extends Iterable<TaskFuture<infer R>>
        ? R[]
        : never;

/**
 * Waits for task runs to end, however they end: for all of them, or no longer than `timeout` (default: for ever). Answers
 * which have ended and which have not; it does not throw for those.
 */
export async function wait<F extends TaskFuture<unknown>>(
  futures: Iterable<F>,
  options: WaitOptions = {},
): Promise<Waited<F>> {
  const timeoutMs = timeoutOf(options, "wait()");
  const waitedFor = [...new Set(futures)];
  const done = new Set<F>();
  const over = new AbortController();
  const how = isBounded(options) ? { signal: over.signal } : {};
  const ends = Promise.all(waitedFor.map((future) => future.wait(how).then(() => done.add(future))));
  if (isBounded(options)) {
    const late = new TimedOutError("Waiting", timeoutMs ?? 0);
    try {
      await within(ends, timeoutMs, options.signal, () => late);
    } catch (error) {
      if (error !== late) throw error;
    } finally {
      over.abort();
    }
  } else await ends;
  return {
    done: waitedFor.filter((future) => done.has(future)),
    notDone: waitedFor.filter((future) => !done.has(future)),
  };
}

/**
 * What several task runs return, in the order of their futures: `const [user, orders] = await all([loadUser.submit(id),
 * loadOrders.submit(id)])`. Waits for all of them, then throws the failure of the first one in that order. Throws
 * {@link TimedOutError} when not all have ended within `timeout` (default: for ever).
 */
export async function all<const F extends Iterable<TaskFuture<unknown>>>(
  futures: F,
  options: WaitOptions = {},
): Promise<ResultsOf<F>> {
  const list = [...futures];
  await untilEnded(list, options);
  return (await Promise.all(list.map((future) => future.result()))) as ResultsOf<F>;
}

/** Throws {@link TimedOutError} where `wait` answers that some have not ended. */
export async function untilEnded(futures: Iterable<TaskFuture<unknown>>, options: WaitOptions): Promise<void> {
  const { done, notDone } = await wait(futures, options);
  if (notDone.length > 0) throw tooLate(notDone.length, done.length + notDone.length, options);
}

/** What is thrown when some of the task runs have not ended in time. */
export function tooLate(open: number, total: number, options: WaitOptions): TimedOutError {
  const what = total === 1 ? "Waiting for a task run" : `Waiting for ${open} of ${total} task runs`;
  return new TimedOutError(what, timeoutOf(options, "wait()") ?? 0);
}
