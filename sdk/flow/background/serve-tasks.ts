/** A task worker: a process that executes background tasks. */
import { type ApiClient, watchEvents } from "../../client/index.ts";
import type { TaskRunId } from "../../protocol/ids.ts";
import { isTerminal, NO_DETAILS } from "../../protocol/states.ts";
import { readTaskRun, setTaskRunState, type TaskRun } from "../../protocol/task-runs.ts";
import { clock } from "../configuration.ts";
import { requiredClient } from "../deploy/deployment.ts";
import { systemSignals } from "../deploy/serve.ts";
import { captureConsole } from "../engine/console-capture.ts";
import { echo } from "../engine/echo.ts";
import { Execution } from "../engine/execution.ts";
import { TaskRunner } from "../engine/run-task.ts";
import { errorMessage } from "../errors.ts";
import { type AnyTask, definitionOfTask, type TaskDefinition } from "../task.ts";
import { queueKeyOf } from "./delay.ts";
import { CANCELLED_EVENT } from "./delayed-run.ts";
import { forgetParameters, readParameters, resultKeyOf } from "./parameters.ts";
import { TaskReporter } from "./task-reporter.ts";
import { TaskSocket } from "./task-socket.ts";

/** How often the runs in progress are looked at, in case they were cancelled and nobody told. */
const LOOK_MS = 10_000;

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
  const signals = options.signal ? null : systemSignals();
  const release = captureConsole();
  try {
    const worker = new TaskWorker(requiredClient("serveTasks()"), byKey, limit, options.onReady ?? (() => undefined));
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

class TaskWorker {
  readonly #client: ApiClient;
  readonly #tasks: ReadonlyMap<string, TaskDefinition>;
  readonly #limit: number;
  readonly #onReady: () => void;
  readonly #sockets: TaskSocket[] = [];
  readonly #running = new Map<TaskRunId, Execution>();
  readonly #over = new AbortController();
  readonly #clientId = `sluice-${globalThis.process?.pid ?? ""}-${crypto.randomUUID().slice(0, 8)}`;
  #isReady = false;

  constructor(client: ApiClient, tasks: ReadonlyMap<string, TaskDefinition>, limit: number, onReady: () => void) {
    this.#client = client;
    this.#tasks = tasks;
    this.#limit = limit;
    this.#onReady = onReady;
    const event = { name: [CANCELLED_EVENT] };
    watchEvents(client, { event }, () => void this.#lookForCancelled(), this.#over.signal);
    const timer = setInterval(() => void this.#lookForCancelled(), LOOK_MS);
    this.#over.signal.addEventListener("abort", () => clearInterval(timer), { once: true });
    this.#openSocket();
  }

  async close(): Promise<void> {
    await Promise.all(this.#sockets.map((socket) => socket.close()));
    this.#over.abort();
  }

  /** There is always one more connection than there are tasks in hand, as far as the limit allows. */
  #openSocket(): void {
    if (this.#sockets.length >= this.#limit || this.#sockets.some(({ isBusy }) => !isBusy)) return;
    const socket = new TaskSocket({
      client: this.#client,
      keys: [...this.#tasks.keys()],
      clientId: this.#clientId,
      execute: (run) => {
        queueMicrotask(() => this.#openSocket());
        return this.#execute(run);
      },
      onReady: () => {
        if (!this.#isReady) this.#onReady();
        this.#isReady = true;
      },
      onTrouble: (reason) => echo("warn", "sluice", reason),
    });
    this.#sockets.push(socket);
  }

  async #execute(run: TaskRun): Promise<void> {
    try {
      await this.#executeFound(run);
    } catch (error) {
      echo("error", run.name, errorMessage(error));
    }
  }

  async #executeFound(offered: TaskRun): Promise<void> {
    const task = this.#tasks.get(offered.task_key);
    const run = await this.#client.call(readTaskRun, { params: { id: offered.id } });
    // It was cancelled, or another worker has ended it meanwhile.
    if (task === undefined || isTerminal(run.state_type)) return;
    const parametersId = offered.state?.state_details.task_parameters_id ?? null;
    let args: readonly unknown[];
    try {
      args = parametersId === null ? [] : await readParameters(task, parametersId);
    } catch (error) {
      const details = { ...NO_DETAILS, retriable: false };
      const state = { type: "FAILED", message: errorMessage(error), state_details: details } as const;
      await this.#client.call(setTaskRunState, { params: { id: run.id }, body: { state, force: true } });
      throw error;
    }
    const reporter = new TaskReporter(this.#client, (error) => echo("error", run.name, errorMessage(error)));
    const execution = new Execution({
      session: null,
      sink: reporter,
      clock: clock(),
      captureConsole: true,
      concurrency: Number.POSITIVE_INFINITY,
      remembersTasks: false,
      memory: null,
    });
    this.#running.set(run.id, execution);
    const identity = { id: run.id, dynamicKey: run.dynamic_key, name: run.name, runCount: run.run_count };
    const runner = new TaskRunner(
      { ...task, key: run.task_key },
      args,
      { execution, flow: null, task: null },
      { self: undefined, stream: null, made: { ...identity, resultKey: resultKeyOf(run.id) } },
    );
    echo("info", run.name, `Started a run of task "${task.name}" (${run.id}).`);
    try {
      // What it throws is in its state.
      await runner.run(task.slots === null ? [] : [task.slots]).catch(() => undefined);
      await execution.tasksEnded();
    } finally {
      this.#running.delete(run.id);
      execution.end();
      await reporter.flush();
    }
    const ended = runner.state?.type;
    // Those of a failed run stay, for whoever runs it again.
    if (parametersId !== null && (ended === "COMPLETED" || ended === "CANCELLED")) {
      await forgetParameters(task, parametersId);
    }
    echo(ended === "COMPLETED" ? "info" : "error", run.name, `Finished in state ${runner.state?.name}.`);
  }

  async #lookForCancelled(): Promise<void> {
    for (const [id, execution] of this.#running) {
      // Without an answer it is looked at again the next time.
      const run = await this.#client.call(readTaskRun, { params: { id } }).catch(() => null);
      const isCancelled = run?.state_type === "CANCELLED" || run?.state_type === "CANCELLING";
      if (isCancelled) execution.stop({ action: "cancel", state: run.state });
    }
  }
}
