/**
 * Schema of an object's SQLite: an append-only list of steps, applied lazily when the object first stores something.
 *
 * The number of applied steps is kept in the object's key-value store, so that a current schema costs no row and an
 * object that was merely asked about something stays empty. A step that has been released is never edited: an object
 * that slept for a year applies what it lacks, in order.
 */

const VERSION_KEY = "schema_version";

/** Whether the object has never stored anything: reading it needs no schema, and must not make one. */
export function isUntouched(storage: DurableObjectStorage): boolean {
  return storage.kv.get<number>(VERSION_KEY) === undefined;
}

/**
 * Applies the steps that the object lacks, all or none. Each step is one or more SQL statements.
 *
 * An object with more steps than the list has was opened by a later version during an upgrade; it is left as it is,
 * since steps only add what the version before can ignore.
 */
export function migrate(storage: DurableObjectStorage, steps: readonly string[]): void {
  const applied = storage.kv.get<number>(VERSION_KEY) ?? 0;
  if (applied >= steps.length) return;
  storage.transactionSync(() => {
    for (const step of steps.slice(applied)) storage.sql.exec(step);
    storage.kv.put(VERSION_KEY, steps.length);
  });
}

/** The schema of an object that is often only asked: reads answer "nothing" before the first write, which makes it. */
export class LazySchema {
  readonly #storage: DurableObjectStorage;
  readonly #steps: readonly string[];
  #isMade: boolean;

  constructor(storage: DurableObjectStorage, steps: readonly string[]) {
    this.#storage = storage;
    this.#steps = steps;
    this.#isMade = !isUntouched(storage);
    if (this.#isMade) migrate(storage, steps);
  }

  /** Whether there is anything to read. */
  get isMade(): boolean {
    return this.#isMade;
  }

  /** Makes it, if there is none. Outside of every transaction: one that is undone would take the schema with it. */
  make(): void {
    if (this.#isMade) return;
    migrate(this.#storage, this.#steps);
    this.#isMade = true;
  }
}
