/** What a task worker tells of the tasks that it executes: states as events, which the control plane records, and log lines. */
import { type ApiClient, ApiUnreachableError } from "../../client/index.ts";
import { createEvents } from "../../protocol/events.ts";
import { LIMITS } from "../../protocol/limits.ts";
import { createLogs, type LogCreate } from "../../protocol/logs.ts";
import type { TaskReport } from "../../protocol/run-channel.ts";
import type { TaskSink } from "../engine/execution.ts";

/** While the control plane is away, a task worker waits for it. */
const PATIENCE_MS = 600_000;
/** Lines that come within this span travel together. */
const GATHER_MS = 200;

type EventBody = Record<string, unknown>;

export class TaskReporter implements TaskSink {
  readonly #client: ApiClient;
  /** For errors that no task hears of. */
  readonly #onTrouble: (error: unknown) => void;
  #events: EventBody[] = [];
  #logs: LogCreate[] = [];
  #sending: Promise<void> | null = null;

  constructor(client: ApiClient, onTrouble: (error: unknown) => void) {
    this.#client = client;
    this.#onTrouble = onTrouble;
  }

  report({ states, ...task }: TaskReport): void {
    for (const state of states) {
      this.#events.push({
        id: state.id,
        occurred: state.timestamp,
        event: `prefect.task-run.${state.name}`,
        resource: {
          "prefect.resource.id": `prefect.task-run.${task.id}`,
          "prefect.resource.name": task.name,
          "prefect.run-count": String(task.run_count),
          "prefect.state-type": state.type,
          "prefect.state-name": state.name,
          "prefect.state-message": state.message ?? "",
          "prefect.state-timestamp": state.timestamp,
          "prefect.orchestration": "client",
        },
        related: [],
        payload: { validated_state: state, task_run: task },
      });
    }
    this.#send();
  }

  log(line: LogCreate): void {
    this.#logs.push(line);
    this.#send();
  }

  /** Resolves when all that was told is stored, or cannot be. */
  async flush(): Promise<void> {
    while (this.#sending !== null) await this.#sending;
  }

  #send(): void {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null;
      // Told after the last look at what there is, and before this.
      if (this.#events.length + this.#logs.length > 0) this.#send();
    });
  }

  async #sendAll(): Promise<void> {
    if (this.#events.length === 0) await new Promise((done) => setTimeout(done, GATHER_MS));
    while (this.#events.length + this.#logs.length > 0) {
      const events = this.#events.splice(0, LIMITS.eventsPerRequest);
      const logs = this.#logs.splice(0, LIMITS.logLines);
      const how = { idempotent: true, patienceMs: PATIENCE_MS };
      try {
        if (events.length > 0) await this.#client.call(createEvents, { body: events as never }, how);
        if (logs.length > 0) await this.#client.call(createLogs, { body: logs }, how);
      } catch (error) {
        this.#onTrouble(error);
        // Nobody listens: what waits would only pile up.
        if (error instanceof ApiUnreachableError) this.#events = [];
      }
    }
  }
}
