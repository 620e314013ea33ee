/** What is set of the queues of a pool. A queue that nobody told of has no limit and is not paused. */
import type { WorkQueueId } from "#protocol/ids";
import type { WaitingQueue } from "./storage/pool-rows.ts";
import type { QueueSettings } from "./work-pool-owner.ts";

/** A change that runs which wait in the queue have to follow. */
export interface QueueChange {
  /** The name that it had. */
  readonly from: string;
  readonly to: WaitingQueue;
}

export class PoolQueues {
  readonly #byId: ReadonlyMap<WorkQueueId, QueueSettings>;
  readonly #byName: ReadonlyMap<string, QueueSettings>;

  constructor(queues: readonly QueueSettings[]) {
    this.#byId = new Map(queues.map((queue) => [queue.id, queue]));
    this.#byName = new Map(queues.map((queue) => [queue.name, queue]));
  }

  /** The queue as it is now: a run remembers the name and the priority of the time when it was made. */
  current(queue: WaitingQueue & { readonly id: WorkQueueId | null }): WaitingQueue {
    const { name, priority } = (queue.id === null ? undefined : this.#byId.get(queue.id)) ?? queue;
    return { name, priority };
  }

  isPaused(name: string): boolean {
    return this.#byName.get(name)?.isPaused ?? false;
  }

  /** Null for no limit. */
  limitOf(name: string): number | null {
    return this.#byName.get(name)?.concurrencyLimit ?? null;
  }

  /** What is different from here on. */
  changesTo(queues: readonly QueueSettings[]): QueueChange[] {
    return queues.flatMap((next) => {
      const known = this.#byId.get(next.id);
      const isSame = known === undefined || (known.name === next.name && known.priority === next.priority);
      return isSame ? [] : [{ from: known.name, to: { name: next.name, priority: next.priority } }];
    });
  }
}
