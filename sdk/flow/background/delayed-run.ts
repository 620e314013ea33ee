/** Runs of background tasks, as whoever asked for them sees them. */
import type { ApiClient } from "../../client/index.ts";
import { pause } from "../../client/jitter.ts";
import { isTerminal, type State } from "../../protocol/states.ts";
import type { TaskRun } from "../../protocol/task-runs.ts";
import { type Duration, parseDuration } from "../duration.ts";
import { currentScope } from "../engine/scope.ts";
import { TimedOutError } from "../errors.ts";
import { TaskFuture } from "../future.ts";
import { failureOf } from "../states.ts";
import type { TaskDefinition } from "../task.ts";

/** How the end of a background task is waited for. Everything may be left out. */
export interface WaitOptions {
  /** How long to wait. Default: for ever. */
  readonly timeout?: Duration;
  /** Ends the waiting. Default: the signal of the run that the calling code belongs to. */
  readonly signal?: AbortSignal;
}

/** Tells task workers that a run of theirs may have been cancelled. */
export const CANCELLED_EVENT = "prefect.task-run.Cancelled";
const FIRST_LOOK_MS = 100;
const LAST_LOOK_MS = 5_000;
const PATIENCE_MS = 600_000;

/**
 * A run of a background task. Like a future it can be handed to another task. It looks for nothing before it is asked, and
 * a process that ends takes nothing from it: `id` finds it again.
 */
export class DelayedRun<R> extends TaskFuture<R> {
  readonly #task: TaskDefinition;
  readonly #client: ApiClient;
  #state: State | null;

  constructor(task: TaskDefinition, client: ApiClient, run: TaskRun) {
    super({
      taskRunId: run.id,
      name: run.name,
      settled: () => this.#result({}),
      state: () => this.#state,
    });
    this.#task = task;
    this.#client = client;
    this.#state = run.state;
  }

  /**
   * What the task returned, read from the storage of its results. Throws `FailedRunError`, `CrashedRunError` or
   * `CancelledRunError` with the message of its last state, {@link TimedOutError}, and for a result that is not there.
   */
  override result(options: WaitOptions = {}): Promise<R> {
    return this.#result(options);
  }

  /** Waits for the run to end, however it ends, and answers its state. Throws {@link TimedOutError}. */
  override async wait(options: WaitOptions = {}): Promise<State> {
    const timeoutMs = options.timeout === undefined ? null : parseDuration(options.timeout, 'wait() option "timeout"');
    const scope = currentScope();
    const signal = options.signal ?? scope?.task?.signal ?? scope?.flow?.signal;
    const [{ readTaskRun }, { watchEvents }] = await Promise.all([
      import("../../protocol/task-runs.ts"),
      import("../../client/event-stream.ts"),
    ]);
    const over = new AbortController();
    let hear = Promise.withResolvers<void>();
    const resource = { id: [`prefect.task-run.${this.taskRunId}`] };
    watchEvents(this.#client, { resource }, () => hear.resolve(), over.signal);
    try {
      const startedAt = performance.now();
      for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * 1.5, LAST_LOOK_MS)) {
        const how = { patienceMs: PATIENCE_MS, ...(signal ? { signal } : {}) };
        const { state } = await this.#client.call(readTaskRun, { params: { id: this.taskRunId } }, how);
        this.#state = state;
        if (state !== null && isTerminal(state.type)) return state;
        const leftMs = timeoutMs === null ? waitMs : timeoutMs - (performance.now() - startedAt);
        if (leftMs <= 0) throw new TimedOutError(`Waiting for task run "${this.name}"`, timeoutMs ?? 0);
        await Promise.race([hear.promise, pause(Math.min(waitMs, leftMs), signal)]);
        hear = Promise.withResolvers();
      }
    } finally {
      over.abort();
    }
  }

  /**
   * Cancels the run: one that waits is not executed any more, one that is under way is told to stop by its signal. One that
   * has ended stays as it is.
   */
  async cancel(): Promise<void> {
    const wanted = { type: "CANCELLED", message: "Cancelled by whoever asked for it." } as const;
    const body = { state: wanted };
    const { setTaskRunState } = await import("../../protocol/task-runs.ts");
    const { status, state } = await this.#client.call(setTaskRunState, { params: { id: this.taskRunId }, body });
    if (status !== "ACCEPT" || state === null) return;
    this.#state = state;
    const { createEvents } = await import("../../protocol/events.ts");
    // States that others set are not told of: its worker would hear of it only when it looks.
    const event = {
      id: crypto.randomUUID(),
      occurred: state.timestamp,
      event: CANCELLED_EVENT,
      resource: { "prefect.resource.id": `prefect.task-run.${this.taskRunId}`, "prefect.resource.name": this.name },
      payload: {},
    };
    await this.#client.call(createEvents, { body: [event] as never }, { idempotent: true });
  }

  async #result(options: WaitOptions): Promise<R> {
    const state = await this.wait(options);
    if (state.type !== "COMPLETED") throw failureOf(state);
    const [{ readHead, readValue }, { keptWith }] = await Promise.all([
      import("../results/record.ts"),
      import("./parameters.ts"),
    ]);
    const key = storageKeyOf(state.data);
    const { storage, serializer } = keptWith(this.#task);
    const bytes = key === null ? null : await storage.read(key);
    if (bytes === null) {
      throw new Error(
        `Task run "${this.name}" is Completed, and its result is not in the storage of this process. Give both sides the same one.`,
      );
    }
    return (await readValue(readHead(bytes), bytes, serializer)) as R;
  }
}

function storageKeyOf(data: unknown): string | null {
  if (typeof data !== "object" || data === null || !("storage_key" in data)) return null;
  return typeof data.storage_key === "string" ? data.storage_key : null;
}
