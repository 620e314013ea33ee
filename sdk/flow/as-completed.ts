/** What is done with several futures, or with ones that may fail. */
import { ms } from "../protocol/time.ts";
import type { WaitOptions } from "./background/delayed-run.ts";
import { TaskFuture } from "./future.ts";
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
 * lets that task run although this one has failed.
 */
export function allowFailure<R>(future: TaskFuture<R>): TaskFuture<R | Error> {
  return new TaskFuture<R | Error>({
    taskRunId: future.taskRunId,
    name: future.name,
    settled: future.result().catch((error: unknown) => (error instanceof Error ? error : new Error(String(error)))),
    state: () => future.state(),
  });
}
