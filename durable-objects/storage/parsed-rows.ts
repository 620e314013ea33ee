/**
 * Parsed rows of runs that are in use, so that a transition does not parse what the last one wrote. Only a copy of what
 * is stored: it is emptied whenever a transaction is undone, and is gone with the object's memory.
 */
export class ParsedRows<K, V> {
  readonly #rows = new Map<K, V>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(key: K): V | undefined {
    return this.#rows.get(key);
  }

  set(key: K, row: V): void {
    this.#rows.delete(key);
    this.#rows.set(key, row);
    if (this.#rows.size <= this.#capacity) return;
    const oldest = this.#rows.keys().next();
    if (!oldest.done) this.#rows.delete(oldest.value);
  }

  delete(key: K): void {
    this.#rows.delete(key);
  }

  clear(): void {
    this.#rows.clear();
  }
}
