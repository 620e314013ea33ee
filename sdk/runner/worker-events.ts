/** Events of a worker, by Prefect's names: started, stopped, submitted-flow-run, executed-flow-run. */
import type { ApiClient } from "../client/index.ts";
import { createEvents, type Event } from "../protocol/events.ts";
import { LIMITS } from "../protocol/limits.ts";
import { type EpochMs, toWireTime } from "../protocol/time.ts";
import type { RunTicket } from "../protocol/worker-channel.ts";

/** Events of a moment go in one request. */
const TOGETHER_MS = 200;
const PATIENCE_MS = 10_000;

export interface WorkerEventsOptions {
  readonly client: ApiClient;
  readonly workerName: string;
  readonly workerType: string;
  readonly poolName: string;
  /** Events could not be told: they are given up. */
  readonly onFailure: (because: string) => void;
}

export class WorkerEvents {
  readonly #options: WorkerEventsOptions;
  #waiting: Event[] = [];
  #sending: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: WorkerEventsOptions) {
    this.#options = options;
  }

  tell(what: "started" | "stopped" | "submitted-flow-run" | "executed-flow-run", ticket: RunTicket | null): void {
    const { workerName, workerType, poolName } = this.#options;
    this.#waiting.push({
      id: crypto.randomUUID(),
      occurred: toWireTime(Date.now() as EpochMs),
      event: `prefect.worker.${what}`,
      resource: {
        "prefect.resource.id": `prefect.worker.${workerType}.${slug(workerName)}`,
        "prefect.resource.name": workerName,
        "prefect.worker-type": workerType,
      },
      related: [
        {
          "prefect.resource.id": `prefect.work-pool.${poolName}`,
          "prefect.resource.role": "work-pool",
          "prefect.resource.name": poolName,
        },
        ...(ticket === null ? [] : relatedOf(ticket)),
      ],
      payload: {},
      follows: null,
    });
    this.#timer ??= setTimeout(() => void this.flush(), TOGETHER_MS);
  }

  /** Resolves when all that was told is stored or given up. Never rejects. */
  flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#sending = this.#sending.then(() => this.#send());
    return this.#sending;
  }

  async #send(): Promise<void> {
    while (this.#waiting.length > 0) {
      const body = this.#waiting.splice(0, LIMITS.eventsPerRequest);
      try {
        await this.#options.client.call(createEvents, { body }, { patienceMs: PATIENCE_MS, idempotent: true });
      } catch (error) {
        this.#options.onFailure(error instanceof Error ? error.message : String(error));
      }
    }
  }
}

function relatedOf({ flow_run_id, name, deployment_id }: RunTicket): Event["related"] {
  const run = {
    "prefect.resource.id": `prefect.flow-run.${flow_run_id}`,
    "prefect.resource.role": "flow-run",
    "prefect.resource.name": name,
  };
  if (deployment_id === null) return [run];
  const deployment = {
    "prefect.resource.id": `prefect.deployment.${deployment_id}`,
    "prefect.resource.role": "deployment",
  };
  return [run, deployment];
}

function slug(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}
