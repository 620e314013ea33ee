/** What is done with several futures, or with ones that may fail. */
import { TaskFuture } from "./future.ts";

/** The futures, each as soon as its task has ended, however it ended. */
export async function* asCompleted<R>(futures: Iterable<TaskFuture<R>>): AsyncGenerator<TaskFuture<R>, void, void> {
  const waiting = new Map([...futures].map((future) => [future, future.wait().then(() => future)]));
  while (waiting.size > 0) {
    const ended = await Promise.race(waiting.values());
    waiting.delete(ended);
    yield ended;
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
