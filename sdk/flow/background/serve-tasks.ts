/** A task worker: a process that executes background tasks. */
import { requiredClient } from "../deploy/deployment.ts";
import { systemSignals } from "../deploy/serve.ts";
import { captureConsole } from "../engine/console-capture.ts";
import { type AnyTask, definitionOfTask, type TaskDefinition } from "../task.ts";
import { queueKeyOf } from "./queue-key.ts";

/** How a process serves tasks. Everything may be left out. */
export interface ServeTasksOptions {
  /** Runs at the same time. Default 10. */
  readonly limit?: number;
  /** Ends the serving when it aborts. Default: SIGINT and SIGTERM do, where there are signals. */
  readonly signal?: AbortSignal;
  /** Called when the control plane knows of this worker. */
  readonly onReady?: () => void;
}

/**
 * Executes the background runs of tasks, made by `task.delay(…)` in any process, until it is told to end; then it takes
 * nothing new and waits for those in progress. A second signal of the system ends the process at once: what it had begun
 * is then offered to another task worker.
 *
 * Throws TypeError for tasks with the same name, and `SluiceError` where there is no control plane.
 */
export async function serveTasks(tasks: AnyTask | readonly AnyTask[], options: ServeTasksOptions = {}): Promise<void> {
  const definitions = [tasks].flat().map((one) => definitionOfTask(one as AnyTask));
  const byKey = new Map<string, TaskDefinition>();
  for (const one of definitions) {
    if (byKey.has(queueKeyOf(one))) {
      throw new TypeError(`Two tasks are called "${one.name}". Task workers find them by name: rename one.`);
    }
    byKey.set(queueKeyOf(one), one);
  }
  if (byKey.size === 0) throw new TypeError("serveTasks() needs tasks: serveTasks([first, second]).");
  const limit = options.limit ?? 10;
  if (!(limit >= 1)) throw new TypeError(`serveTasks() option "limit" is ${limit}. Give 1 or more.`);
  const client = requiredClient("serveTasks()");
  const { TaskWorker } = await import("./task-worker.ts");
  const signals = options.signal ? null : systemSignals();
  const release = captureConsole();
  try {
    const worker = new TaskWorker(client, byKey, limit, options.onReady ?? (() => undefined));
    const stop = options.signal ?? signals?.signal ?? null;
    if (stop?.aborted !== true) {
      await new Promise<void>((resolve) => stop?.addEventListener("abort", () => resolve(), { once: true }));
    }
    await worker.close();
  } finally {
    release();
    signals?.forget();
  }
}
