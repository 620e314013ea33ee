/** Why a run that is due waits in its pool: everything that stands in its way, what decides first. */
import type { FlowRunId } from "#protocol/ids";
import { type EpochMs, toWireTime } from "#protocol/time";
import type { Why } from "#protocol/why";
import type { PoolDispatcher } from "./pool-dispatcher.ts";
import type { PoolQueues } from "./pool-queues.ts";
import type { PoolSlots } from "./pool-slots.ts";
import type { PoolStore } from "./storage/pool-store.ts";
import type { PoolSettings, PoolWorker } from "./work-pool-owner.ts";

/** Runs and workers that a reason names. */
const NAMED = 20;

export interface PoolView {
  readonly name: string;
  readonly store: PoolStore;
  readonly slots: PoolSlots;
  readonly dispatcher: PoolDispatcher;
  readonly queues: PoolQueues;
  readonly settings: PoolSettings | null;
  readonly workers: readonly (PoolWorker & { readonly queueNames: readonly string[] })[];
  /** Whether its runs are pushed to a URL, so that nobody has to be online for them. */
  readonly isPushed: boolean;
  /** What is known of the run's push; null when there is none. */
  readonly push: Why | null;
  readonly now: EpochMs;
}

export function explainWait(view: PoolView, id: FlowRunId): Why[] {
  const { name, store, slots, dispatcher, queues, settings, now } = view;
  if (view.push !== null) return [view.push];
  const claim = slots.claimOf(id);
  if (claim) {
    const message = `It is being given to worker "${claim.workerName}".`;
    return [{ kind: "being_claimed", message, details: { worker_name: claim.workerName } }];
  }
  if (slots.isTentative(id)) {
    const message = "A worker that polls is claiming it.";
    return [{ kind: "being_claimed", message, details: { worker_name: null } }];
  }
  const run = store.ready(id);
  if (run === null) {
    const message = `Work pool "${name}" does not have it in its list; its owner offers it again.`;
    return [{ kind: "not_offered", message, details: { work_pool_name: name } }];
  }
  const place = { work_pool_name: name, work_queue_name: run.queueName };
  const reasons: Why[] = [];
  if (settings?.isPaused) {
    reasons.push({
      kind: "work_pool_paused",
      message: `Work pool "${name}" is paused.`,
      details: { work_pool_name: name },
    });
  }
  if (queues.isPaused(run.queueName)) {
    const message = `Work queue "${name}/${run.queueName}" is paused.`;
    reasons.push({ kind: "work_queue_paused", message, details: place });
  }
  const full = slots.occupiesPool(id) ? null : dispatcher.fullLimit(run.queueName);
  if (full !== null) reasons.push(fullWhy(view, full, run.queueName));
  const retryAt = dispatcher.retryAt(id, now);
  if (retryAt !== null) {
    const retry_at = toWireTime(retryAt);
    const message = `Its owner could not be asked for it; it is asked again at ${retry_at}.`;
    reasons.push({ kind: "claim_failing", message, details: { retry_at } });
  }
  const worker = view.isPushed ? null : workerWhy(view, run.queueName);
  if (worker) reasons.push(worker);
  const position = store.countAhead(run) + 1;
  const message = `It is number ${position} in line in work queue "${name}/${run.queueName}".`;
  reasons.push({ kind: "in_line", message, details: { ...place, position } });
  return reasons;
}

function fullWhy({ name, slots, queues, settings }: PoolView, full: "work pool" | "work queue", queue: string): Why {
  const isPool = full === "work pool";
  const limit = (isPool ? settings?.concurrencyLimit : queues.limitOf(queue)) ?? 0;
  const holders = slots.holders(isPool ? null : queue);
  const what = isPool ? `Work pool "${name}"` : `Work queue "${name}/${queue}"`;
  return {
    kind: "limit_full",
    message: `${what} has ${limit} slots, and ${holders.length} are taken${holders.length > 0 ? `, by flow run ${holders.slice(0, 3).join(", ")}${holders.length > 3 ? " and others" : ""}` : ""}.`,
    details: {
      limit: isPool ? "work_pool" : "work_queue",
      name: isPool ? name : `${name}/${queue}`,
      slots: limit,
      taken: holders.length,
      holders: holders.slice(0, NAMED),
    },
  };
}

/** What is the matter with the workers; null when one of them could take the run now. */
function workerWhy({ name, workers }: PoolView, queue: string): Why | null {
  const online = workers.filter((worker) => worker.online);
  if (online.length === 0) {
    const seen = workers.toSorted((a, b) => b.lastSeenAt - a.lastSeenAt).slice(0, NAMED);
    const last = seen[0] ? ` The last was "${seen[0].name}", until ${toWireTime(seen[0].lastSeenAt)}.` : "";
    return {
      kind: "no_worker_online",
      message: `No worker of work pool "${name}" is online.${last}`,
      details: {
        work_pool_name: name,
        last_seen: seen.map((worker) => ({ name: worker.name, at: toWireTime(worker.lastSeenAt) })),
      },
    };
  }
  const takers = online.filter(({ queueNames }) => queueNames.length === 0 || queueNames.includes(queue));
  if (takers.length === 0) {
    return {
      kind: "no_worker_for_queue",
      message: `No worker that is online takes runs of work queue "${name}/${queue}".`,
      details: {
        work_pool_name: name,
        work_queue_name: queue,
        workers: online.slice(0, NAMED).map((worker) => worker.name),
      },
    };
  }
  if (takers.some((worker) => !worker.draining && worker.active < worker.limit)) return null;
  const message = `All ${takers.length} workers that could take it have as many runs as they take, or are stopping.`;
  const named = takers.slice(0, NAMED).map(({ name, limit, active, draining }) => ({ name, limit, active, draining }));
  return { kind: "workers_busy", message, details: { workers: named } };
}
