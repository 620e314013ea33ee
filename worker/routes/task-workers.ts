import * as api from "#protocol/task-workers";
import { subscriptionsOf } from "../../durable-objects/task-queue-owner.ts";
import { type App, serve } from "../serve.ts";

/** Objects that the sockets of task workers are spread over. */
const SUBSCRIPTION_OBJECTS = 16;

/** The names of the objects that hold the sockets of task workers. */
export function subscriptionNames(env: Env): string[] {
  const count = Math.max(1, Math.min(SUBSCRIPTION_OBJECTS, Number(env.SLUICE_SHARDS) || 1));
  return Array.from({ length: count }, (_, index) => `subscriptions-${index}`);
}

export function taskWorkerRoutes(app: App): void {
  serve(
    app,
    api.filterTaskWorkers,
  )(async ({ env, body }) => {
    const keys = body.task_worker_filter?.task_keys ?? [];
    const found = await Promise.all(subscriptionNames(env).map((name) => subscriptionsOf(env, `${name}|`).workers()));
    const workers = merged(found.flat());
    return keys.length === 0 ? workers : workers.filter((worker) => worker.task_keys.some((key) => keys.includes(key)));
  });
}

/** One entry a worker, however many connections it has. */
function merged(workers: readonly api.TaskWorker[]): api.TaskWorker[] {
  const byName = new Map<string, api.TaskWorker>();
  for (const worker of workers) {
    const known = byName.get(worker.identifier);
    byName.set(worker.identifier, {
      identifier: worker.identifier,
      task_keys: [...new Set([...(known?.task_keys ?? []), ...worker.task_keys])],
      timestamp: known && known.timestamp > worker.timestamp ? known.timestamp : worker.timestamp,
    });
  }
  return [...byName.values()];
}
