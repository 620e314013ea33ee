/** Who takes the runs of a pool: the workers that are connected, or the HTTP target of a pool that pushes to one. */
import { HTTP_TARGET } from "#protocol/push";
import type { EpochMs } from "#protocol/time";
import type { ConnectedWorkers } from "./connected-workers.ts";
import type { WorkerRow } from "./storage/pool-rows.ts";

export interface Taker {
  readonly row: Pick<WorkerRow, "name" | "limit" | "queueNames" | "prefetchMs">;
  readonly isDraining: boolean;
}

/** It takes as many as the pool lets it have, from every queue. */
const TARGET: Taker = {
  row: { name: HTTP_TARGET, limit: Number.POSITIVE_INFINITY, queueNames: [], prefetchMs: 0 },
  isDraining: false,
};

export class PoolTakers {
  readonly #workers: ConnectedWorkers;
  /** Whether the pool pushes to a URL; workers that connect nevertheless are given nothing then. */
  isPushed = false;

  constructor(workers: ConnectedWorkers) {
    this.#workers = workers;
  }

  all(): Iterable<Taker> {
    return this.isPushed ? [TARGET] : this.#workers.all();
  }

  get(name: string): Taker | undefined {
    if (!this.isPushed) return this.#workers.get(name);
    return name === HTTP_TARGET ? TARGET : undefined;
  }

  isSilent(taker: Taker, now: EpochMs): boolean {
    const worker = taker === TARGET ? undefined : this.#workers.get(taker.row.name);
    return worker !== undefined && this.#workers.isSilent(worker, now);
  }
}
