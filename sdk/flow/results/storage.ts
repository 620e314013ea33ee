/** Where results are kept. */
import type { LockManager } from "./locks.ts";

/** A store of bytes by key. Keys are paths of letters, digits, `-`, `_`, `.` and `/`. */
export interface ResultStorage {
  /** The bytes under a key; null when there are none. */
  read(key: string): Promise<Uint8Array | null>;
  /** Stores whole bytes or nothing: a reader never sees a part. */
  write(key: string, bytes: Uint8Array): Promise<void>;
  /** Forgets a key; one that is not there is no error. */
  delete(key: string): Promise<void>;
  /** Locks between all who use the same storage, where it has any: what caches of isolation "serializable" lock with. */
  readonly locks?: LockManager;
}

/** Keeps results in this process: for tests, and for caches that need not outlive it. */
export function memoryStorage(): ResultStorage {
  const kept = new Map<string, Uint8Array>();
  return {
    read: async (key) => kept.get(key) ?? null,
    write: async (key, bytes) => void kept.set(key, bytes),
    delete: async (key) => void kept.delete(key),
  };
}
