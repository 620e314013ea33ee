/** Locks for caches whose results are made by one caller at a time. */

import { onAbort } from "../engine/on-abort.ts";
import { holdSlot } from "../limits.ts";

/** Gives a key to one holder at a time. */
export interface LockManager {
  /** Waits for the key and answers what gives it back. Rejects with the signal's reason. */
  acquire(key: string, signal: AbortSignal): Promise<() => Promise<void>>;
}

/**
 * Locks with a limit of the control plane (`sluice limit create NAME --limit 1`), between all machines: whoever makes a result
 * holds a slot of it, whatever the key. With a limit of 1 one result is made at a time; a slot comes back when its holder is
 * lost. Waiting throws `SluiceError` for a limit that is not there, or without a control plane.
 */
export function limitLocks(limit: string): LockManager {
  return { acquire: (_, signal) => holdSlot(limit, signal) };
}

/** Locks between the tasks of this process. */
export function memoryLocks(): LockManager {
  const tails = new Map<string, Promise<void>>();
  return {
    async acquire(key, signal) {
      const before = tails.get(key) ?? Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      const tail = before.then(() => promise);
      tails.set(key, tail);
      void tail.then(() => {
        if (tails.get(key) === tail) tails.delete(key);
      });
      try {
        await orAborted(before, signal);
      } catch (error) {
        resolve();
        throw error;
      }
      return async () => resolve();
    },
  };
}

function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const forget = onAbort(signal, () => reject(signal.reason));
    void work.then(() => {
      forget();
      resolve();
    });
  });
}
