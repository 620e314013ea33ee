/** Where results are kept. */

/** A store of bytes by key. Keys are paths of letters, digits, `-`, `_`, `.` and `/`. */
export interface ResultStorage {
  /** The bytes under a key; null when there are none. */
  read(key: string): Promise<Uint8Array | null>;
  /** Stores whole bytes or nothing: a reader never sees a part. */
  write(key: string, bytes: Uint8Array): Promise<void>;
  /** Forgets a key; one that is not there is no error. */
  delete(key: string): Promise<void>;
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
