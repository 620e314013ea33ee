/** The workers of a pool as others are shown them: those that are connected, and those that were lately. */
import type { EpochMs } from "#protocol/time";
import type { ConnectedWorkers } from "./connected-workers.ts";
import type { PoolSlots } from "./pool-slots.ts";
import type { PoolStore } from "./storage/pool-store.ts";
import type { PoolWorker } from "./work-pool-owner.ts";

export function shownWorkers(
  { store, workers, slots }: { store: PoolStore; workers: ConnectedWorkers; slots: PoolSlots },
  now: EpochMs,
): (PoolWorker & { readonly queueNames: readonly string[] })[] {
  return store.workers().map((row) => {
    const worker = workers.get(row.name);
    return {
      name: row.name,
      type: row.type,
      limit: row.limit,
      active: slots.workerUsed(row.name),
      online: worker !== undefined && !workers.isSilent(worker, now),
      draining: worker?.isDraining ?? false,
      connectedAt: row.connectedAt,
      lastSeenAt: worker ? workers.lastSeenAt(worker) : row.lastSeenAt,
      queueNames: row.queueNames,
    };
  });
}
