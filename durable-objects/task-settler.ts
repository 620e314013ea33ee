/**
 * Settles task runs outside a flow after they changed: performs their effects, copies them to D1, and then forgets that
 * there was something to do. What fails is tried again with backoff; what is left when the object goes away is found in
 * its table of unsettled runs.
 */
import type { TaskRunId } from "#protocol/ids";
import { writeCopies } from "./storage/flow-run-copy.ts";
import type { TaskStore } from "./storage/task-store.ts";
import { drainOutbox } from "./task-outbox.ts";

const RETRY_MS = [50, 200, 1_000, 5_000] as const;
/** Rows of one flush: a D1 batch is one transaction on the database's only thread. */
const FLUSH_ROWS = 500;

export interface SettlerParts {
  readonly env: Env;
  readonly store: TaskStore;
  /** Runs a synchronous job in a transaction. */
  commit<T>(job: () => T): Promise<T>;
}

export class TaskSettler {
  readonly #parts: SettlerParts;
  /** Task runs to be copied, with the time at which that is to be done. */
  readonly #dueAt = new Map<TaskRunId, number>();
  readonly #draining = new Set<TaskRunId>();
  #isFlying = false;
  #failures = 0;
  #timer: { readonly handle: ReturnType<typeof setTimeout>; readonly dueAt: number } | null = null;

  constructor(parts: SettlerParts) {
    this.#parts = parts;
  }

  get isIdle(): boolean {
    return this.#dueAt.size === 0 && this.#draining.size === 0 && !this.#isFlying;
  }

  /** The task run has changed: performs what follows at once, and copies it within `delayMs`. */
  changed(id: TaskRunId, delayMs: number): void {
    const dueAt = Date.now() + delayMs;
    this.#dueAt.set(id, Math.min(dueAt, this.#dueAt.get(id) ?? dueAt));
    this.#wake(delayMs);
    if (this.#parts.store.task(id)?.effects && !this.#draining.has(id)) {
      this.#draining.add(id);
      void this.#drain(id);
    }
  }

  /** Copies a task run now, for a caller that waits for it; a fault of D1 delays the copy, not the caller's answer. */
  async copyNow(id: TaskRunId): Promise<void> {
    const row = this.#parts.store.task(id);
    if (!row) return;
    try {
      await writeCopies(this.#parts.env.DB, [], [row]);
    } catch (error) {
      console.warn(`Task run ${id} is made and not listed yet; the copy is tried again.`, error);
    }
  }

  async #drain(id: TaskRunId): Promise<void> {
    const { env, store, commit } = this.#parts;
    for (let failures = 0; ; failures++) {
      try {
        await drainOutbox(env, {
          read: () => store.task(id),
          done: (count) =>
            commit(() => {
              const row = store.task(id);
              if (row === null) return;
              const { effects = [], ...rest } = row;
              const left = effects.slice(count);
              store.put(left.length > 0 ? { ...rest, effects: left } : rest);
            }),
        });
        break;
      } catch (error) {
        console.warn(`What follows from task run ${id} failed ${failures + 1} times; it is tried again.`, error);
        await scheduler.wait(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 0);
      }
    }
    this.#draining.delete(id);
    this.changed(id, 0);
  }

  #wake(delayMs: number): void {
    const dueAt = Date.now() + Math.max(0, delayMs);
    if (this.#timer !== null) {
      if (this.#timer.dueAt <= dueAt) return;
      clearTimeout(this.#timer.handle);
    }
    const handle = setTimeout(() => {
      this.#timer = null;
      void this.#flush();
    }, dueAt - Date.now());
    this.#timer = { handle, dueAt };
  }

  async #flush(): Promise<void> {
    if (this.#isFlying) return;
    const { env, store, commit } = this.#parts;
    const now = Date.now();
    const due = [...this.#dueAt].filter(([, dueAt]) => dueAt <= now).slice(0, FLUSH_ROWS);
    const rows = due.map(([id]) => store.task(id)).filter((row) => row !== null);
    this.#isFlying = true;
    for (const [id] of due) this.#dueAt.delete(id);
    try {
      await writeCopies(env.DB, [], rows);
      await commit(() => {
        const settled = rows.filter(({ task, version }) => {
          const current = store.task(task.id);
          return current === null || (current.version === version && !current.effects);
        });
        store.settle(settled.map(({ task }) => task.id));
      });
      this.#failures = 0;
    } catch (error) {
      for (const [id, dueAt] of due) this.#dueAt.set(id, dueAt);
      this.#failures += 1;
      console.warn(`Copying task runs to D1 failed ${this.#failures} times in a row; it is tried again.`, error);
    } finally {
      this.#isFlying = false;
    }
    if (this.#dueAt.size === 0) return;
    const retryMs = this.#failures > 0 ? (RETRY_MS[Math.min(this.#failures, RETRY_MS.length) - 1] ?? 0) : 0;
    this.#wake(Math.max(retryMs, Math.min(...this.#dueAt.values()) - Date.now()));
  }
}
