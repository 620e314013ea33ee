/** Keeps D1's copies up with a pool's workers. Which are not copied is stored with them, so a copy is only delayed. */
import type { PoolStore } from "./storage/pool-store.ts";
import { writeWorkerCopies } from "./storage/worker-copy.ts";

export class WorkerCopier {
  readonly #db: D1Database;
  readonly #poolName: string;
  #flush: Promise<boolean> | null = null;

  constructor(db: D1Database, poolName: string) {
    this.#db = db;
    this.#poolName = poolName;
  }

  /**
   * Copies what is not copied, one flush at a time; what changes during a flush is part of it. Answers false when D1
   * failed: call it again later.
   */
  flush(store: PoolStore, heartbeatIntervalMs: number): Promise<boolean> {
    this.#flush ??= this.#run(store, heartbeatIntervalMs).finally(() => {
      this.#flush = null;
    });
    return this.#flush;
  }

  async #run(store: PoolStore, heartbeatIntervalMs: number): Promise<boolean> {
    try {
      for (let rows = store.uncopiedWorkers(); rows.length > 0; rows = store.uncopiedWorkers()) {
        await writeWorkerCopies(this.#db, this.#poolName, rows, heartbeatIntervalMs);
        for (const row of rows) store.markCopied(row);
      }
      return true;
    } catch (error) {
      console.warn(`Copying the workers of pool "${this.#poolName}" to D1 failed; it is tried again.`, error);
      return false;
    }
  }
}
