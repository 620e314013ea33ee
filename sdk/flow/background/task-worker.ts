/** Takes background runs of tasks over connections to the control plane, and executes them here. */
import { type ApiClient, watchEvents } from "../../client/index.ts";
import type { TaskRunId } from "../../protocol/ids.ts";
import { isTerminal, NO_DETAILS } from "../../protocol/states.ts";
import { readTaskRun, setTaskRunState, type TaskRun } from "../../protocol/task-runs.ts";
import { clock } from "../configuration.ts";
import { echo } from "../engine/echo.ts";
import { Execution } from "../engine/execution.ts";
import { TaskRunner } from "../engine/run-task.ts";
import { errorMessage } from "../errors.ts";
import type { TaskDefinition } from "../task.ts";
import { CANCELLED_EVENT } from "./delayed-run.ts";
import { forgetParameters, readParameters, resultKeyOf } from "./parameters.ts";
import { TaskReporter } from "./task-reporter.ts";
import { TaskSocket } from "./task-socket.ts";

/** How often the runs in progress are looked at, in case they were cancelled and nobody told. */
const LOOK_MS = 10_000;

export class TaskWorker {
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
      askedBy: run.flow_run_id,
      clock: clock(),
      captureConsole: true,
      concurrency: Number.POSITIVE_INFINITY,
      remembersTasks: false,
      memory: null,
    });
    this.#running.set(run.id, execution);
    const { id, name, tags, dynamic_key: dynamicKey, run_count: runCount } = run;
    const runner = new TaskRunner(
      { ...task, key: run.task_key },
      args,
      // What it calls gets the tags, too, that were around the call of delay().
      { execution, flow: null, task: null, tags: tags.filter((tag) => !task.tags.includes(tag)) },
      { self: undefined, stream: null, made: { id, dynamicKey, name, runCount, tags, resultKey: resultKeyOf(id) } },
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
    // Of completion and failure the run tells by itself.
    if (ended !== "COMPLETED" && ended !== "FAILED") {
      echo("error", run.name, `Finished in state ${runner.state?.name}.`);
    }
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
