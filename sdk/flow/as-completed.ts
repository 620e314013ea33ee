/** What is done with several futures, or with ones that may fail. */
import { ms } from "../protocol/time.ts";
import type { WaitOptions } from "./background/delayed-run.ts";
import { isFuture, TaskFuture } from "./future.ts";
import { type RunState, runState } from "./states.ts";
import { tooLate } from "./wait.ts";
import { isBounded, runClock, timeoutOf, within } from "./within.ts";

/**
 * The futures, each as soon as its task has ended, however it ended. Throws {@link TimedOutError} when `timeout` (default:
 * for ever) has passed since the first one was asked for, and not all have ended; those that have are given before.
 */
export async function* asCompleted<F extends TaskFuture<unknown>>(
  futures: Iterable<F>,
  options: WaitOptions = {},
): AsyncGenerator<F, void, void> {
  const timeoutMs = timeoutOf(options, "asCompleted()");
  const time = runClock();
  const endsAt = timeoutMs === null ? null : time.now() + timeoutMs;
  const open = new Set(futures);
  const total = open.size;
  const ended: F[] = [];
  const over = new AbortController();
  const how = isBounded(options) ? { signal: over.signal } : {};
  let heard = Promise.withResolvers<void>();
  let failure: { readonly error: unknown } | null = null;
  for (const future of open) {
    future.wait(how).then(
      () => {
        ended.push(future);
        heard.resolve();
      },
      // Not the task's failure, but that of looking for its end.
      (error: unknown) => {
        failure ??= { error };
        heard.resolve();
      },
    );
  }
  try {
    while (open.size > 0) {
      const next = ended.shift();
      if (next !== undefined) {
        open.delete(next);
        yield next;
        continue;
      }
      if (failure !== null) throw (failure as { readonly error: unknown }).error;
      if (isBounded(options)) {
        const leftMs = endsAt === null ? null : ms(Math.max(0, endsAt - time.now()));
        await within(heard.promise, leftMs, options.signal, () => tooLate(open.size, total, options));
      } else await heard.promise;
      heard = Promise.withResolvers();
    }
  } finally {
    over.abort();
  }
}

/**
 * A future that never fails: its result is the task's, or the error that the task ended with. Handed to another task, it
 * lets that task run although this one has failed. A state that `returnState` answered becomes one whose `result()` does
 * the same.
 */
export function allowFailure<R>(future: TaskFuture<R>): TaskFuture<R | Error>;
export function allowFailure<R>(state: RunState<R>): RunState<R | Error>;
export function allowFailure(run: TaskFuture<unknown> | RunState<unknown>): unknown {
  if (!isFuture(run)) {
    return runState(run, () => {
      try {
        return run.result();
      } catch (error) {
        return asError(error);
      }
    });
  }
  return new TaskFuture<unknown>({
    taskRunId: run.taskRunId,
    name: run.name,
    settled: run.result().catch(asError),
    state: () => run.state(),
  });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
