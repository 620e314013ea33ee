/** A bound on how many things happen at the same time; whoever comes later waits in order. */
import { onAbort } from "./on-abort.ts";

export class Slots {
  #free: number;
  /** In order of arrival; a Set keeps it, and one that gives up leaves in constant time. */
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /** Takes a slot, waiting for one if need be; null when it was free. Rejects with the signal's reason on abort. */
  acquire(signal: AbortSignal): Promise<void> | null {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free--;
      return null;
    }
    return new Promise((resolve, reject) => {
      const take = (): void => {
        forget();
        resolve();
      };
      const forget = onAbort(signal, () => {
        this.#waiting.delete(take);
        reject(signal.reason);
      });
      this.#waiting.add(take);
    });
  }

  release(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free++;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
