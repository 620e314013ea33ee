/**
 * Keeps D1's copies up with the owner by group commit: a flush starts at once when none is under way, and whatever
 * changes meanwhile goes in the next one. A quiet object has no delay, a busy one has large batches.
 *
 * Nothing here is stored. What is not copied yet is found again after a restart through the journal's watermark: every
 * change at or below it has been copied.
 */
import type { FlowRunId } from "#protocol/ids";
import { SPANS } from "#protocol/limits";
import { type FlowRunCopy, type TaskRunCopy, writeCopies } from "./storage/flow-run-copy.ts";

/** Where the copier reads what it copies: always the newest version. Null when it was deleted meanwhile. */
export interface CopySource {
  /** Hears of each change that is to be copied, at once. */
  readonly noted?: { run(id: FlowRunId): void; task(id: FlowRunId, taskKey: string, dynamicKey: string): void };
  flowRun(id: FlowRunId): FlowRunCopy | null;
  taskRun(id: FlowRunId, taskKey: string, dynamicKey: string): TaskRunCopy | null;
}

interface DirtyRun {
  readonly seq: number;
  readonly dueAt: number;
}

interface DirtyTask {
  readonly runId: FlowRunId;
  readonly taskKey: string;
  readonly dynamicKey: string;
  readonly seq: number;
  readonly dueAt: number;
}

interface Waiter {
  readonly seq: number;
  resolve(): void;
}

/** A D1 fault is answered with these delays between tries; the last one repeats. */
const RETRY_MS = [50, 200, 1_000, 5_000] as const;
/** Rows of one flush: a D1 batch is one transaction on the database's only thread. */
const FLUSH_ROWS = 500;

export class Copier {
  readonly #db: D1Database;
  readonly #source: CopySource;
  readonly #runs = new Map<FlowRunId, DirtyRun>();
  /** Runs whose start time D1 has: naming an indexed column in an update costs a row even if it stays the same. */
  readonly #started = new Set<FlowRunId>();
  readonly #tasks = new Map<string, DirtyTask>();
  readonly #waiters = new Map<FlowRunId, Waiter[]>();
  #flying: { readonly minSeq: number } | null = null;
  #failures = 0;
  #timer: { readonly handle: ReturnType<typeof setTimeout>; readonly dueAt: number } | null = null;

  constructor(db: D1Database, source: CopySource) {
    this.#db = db;
    this.#source = source;
  }

  /** The run changed at `seq`: copy it, with its waiting task runs when it has ended. */
  markRun(id: FlowRunId, seq: number, ended: boolean, delayMs: number): void {
    this.#source.noted?.run(id);
    const before = this.#runs.get(id);
    const dueAt = Math.min(before?.dueAt ?? Number.POSITIVE_INFINITY, Date.now() + delayMs);
    this.#runs.set(id, { seq: before?.seq ?? seq, dueAt });
    if (ended) {
      for (const [key, task] of this.#tasks) if (task.runId === id) this.#tasks.set(key, { ...task, dueAt: 0 });
    }
    this.#wake(dueAt - Date.now());
  }

  /** A task run changed at `seq`. One that goes on may change again before its copy, so that one need not be soon. */
  markTask(id: FlowRunId, taskKey: string, dynamicKey: string, seq: number, isSoon: boolean): void {
    this.#source.noted?.task(id, taskKey, dynamicKey);
    const delayMs = isSoon ? SPANS.taskCopyDelayMs : SPANS.runningTaskCopyDelayMs;
    const key = `${id}\n${taskKey}\n${dynamicKey}`;
    const before = this.#tasks.get(key);
    const dueAt = Math.min(before?.dueAt ?? Number.POSITIVE_INFINITY, Date.now() + delayMs);
    this.#tasks.set(key, { runId: id, taskKey, dynamicKey, seq: before?.seq ?? seq, dueAt });
    this.#wake(dueAt - Date.now());
  }

  /** Forgets a run that was deleted. */
  forget(id: FlowRunId): void {
    this.#runs.delete(id);
    this.#started.delete(id);
    for (const [key, task] of this.#tasks) if (task.runId === id) this.#tasks.delete(key);
  }

  /** Resolves when the run's state as of `seq` is listed, or after `maxWaitMs`: D1's fault delays nobody for longer. */
  copied(id: FlowRunId, seq: number, maxWaitMs: number): Promise<void> {
    return new Promise((resolve) => {
      // A timer that is left to run would keep the object awake, so it goes with the wait.
      const timer = setTimeout(resolve, maxWaitMs);
      const waiters = this.#waiters.get(id) ?? [];
      waiters.push({
        seq,
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
      });
      this.#waiters.set(id, waiters);
    });
  }

  /** The greatest number at or below which everything is copied, if the object's clock stands at `seq`. */
  watermark(seq: number): number {
    let lowest = seq + 1;
    for (const dirty of this.#runs.values()) lowest = Math.min(lowest, dirty.seq);
    for (const task of this.#tasks.values()) lowest = Math.min(lowest, task.seq);
    if (this.#flying) lowest = Math.min(lowest, this.#flying.minSeq);
    return lowest - 1;
  }

  get isIdle(): boolean {
    return this.#runs.size === 0 && this.#tasks.size === 0 && this.#flying === null;
  }

  #wake(delayMs: number): void {
    const dueAt = Date.now() + Math.max(0, delayMs);
    if (this.#timer !== null) {
      if (this.#timer.dueAt <= dueAt) return;
      clearTimeout(this.#timer.handle);
    }
    const handle = setTimeout(
      () => {
        this.#timer = null;
        void this.#flush();
      },
      Math.max(0, delayMs),
    );
    this.#timer = { handle, dueAt };
  }

  async #flush(): Promise<void> {
    // The flush under way starts the next one when it is done.
    if (this.#flying !== null) return;
    const now = Date.now();
    const runs = [...this.#runs].filter(([, run]) => run.dueAt <= now).slice(0, FLUSH_ROWS);
    const tasks = [...this.#tasks].filter(([, task]) => task.dueAt <= now).slice(0, FLUSH_ROWS);
    if (runs.length === 0 && tasks.length === 0) return this.#next();
    this.#flying = { minSeq: Math.min(...runs.map(([, run]) => run.seq), ...tasks.map(([, task]) => task.seq)) };
    for (const [id] of runs) this.#runs.delete(id);
    for (const [key] of tasks) this.#tasks.delete(key);
    const runCopies = runs.map(([id]) => this.#source.flowRun(id)).filter((copy) => copy !== null);
    try {
      await writeCopies(
        this.#db,
        runCopies.map((copy) => ({ ...copy, startKnown: this.#started.has(copy.run.id) })),
        tasks
          .map(([, task]) => this.#source.taskRun(task.runId, task.taskKey, task.dynamicKey))
          .filter((copy) => copy !== null),
      );
      this.#failures = 0;
      this.#settle(runCopies);
    } catch (error) {
      // D1 decides nothing: its fault delays the copy. What changed again meanwhile keeps the older mark.
      for (const [id, run] of runs) this.#runs.set(id, { ...run, dueAt: 0 });
      for (const [key, task] of tasks) this.#tasks.set(key, { ...(this.#tasks.get(key) ?? task), seq: task.seq });
      this.#failures += 1;
      console.warn(`Copying to D1 failed ${this.#failures} times in a row; it is tried again.`, error);
    } finally {
      this.#flying = null;
    }
    this.#next();
  }

  #next(): void {
    if (this.#failures > 0) {
      this.#wake(RETRY_MS[Math.min(this.#failures, RETRY_MS.length) - 1] ?? 0);
    } else if (this.#runs.size > 0 || this.#tasks.size > 0) {
      let dueAt = Number.POSITIVE_INFINITY;
      for (const run of this.#runs.values()) dueAt = Math.min(dueAt, run.dueAt);
      for (const task of this.#tasks.values()) dueAt = Math.min(dueAt, task.dueAt);
      this.#wake(dueAt - Date.now());
    }
  }

  #settle(copies: readonly FlowRunCopy[]): void {
    for (const { run, version } of copies) {
      if (run.end_time !== null) this.#started.delete(run.id);
      else if (run.start_time !== null) this.#started.add(run.id);
      const waiters = this.#waiters.get(run.id);
      if (!waiters) continue;
      const waiting = waiters.filter((waiter) => waiter.seq > version);
      for (const waiter of waiters) if (waiter.seq <= version) waiter.resolve();
      if (waiting.length > 0) this.#waiters.set(run.id, waiting);
      else this.#waiters.delete(run.id);
    }
  }
}
