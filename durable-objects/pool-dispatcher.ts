/**
 * Brings the runs that wait in a pool and the workers that have room together.
 *
 * Everything is looked at anew after each await: what is known before a claim is asked for is only that its slots are
 * reserved. Nothing here is stored but through the store, so all of it may be lost at any await.
 */
import type { FlowRunId } from "#protocol/ids";
import { SPANS } from "#protocol/limits";
import { HTTP_TARGET } from "#protocol/push";
import { after, type DurationMs, type EpochMs, ms } from "#protocol/time";
import type { RunTicket } from "#protocol/worker-channel";
import { ClaimBackoff } from "./claim-backoff.ts";
import { clock } from "./clock.ts";
import { PoolQueues } from "./pool-queues.ts";
import type { Claim, PoolSlots } from "./pool-slots.ts";
import type { PoolTakers, Taker } from "./pool-takers.ts";
import type { ReadyRun } from "./storage/pool-rows.ts";
import type { PoolStore } from "./storage/pool-store.ts";

/** Claims that the ready list starts at the same time: more would only queue up in the runs' owners. */
const CLAIMS_AT_ONCE = 64;

export interface DispatcherParts {
  readonly store: PoolStore;
  readonly slots: PoolSlots;
  readonly workers: PoolTakers;
  /** Asks the run's owner for a claim; null when the run is not there to be claimed. */
  claimRun(id: FlowRunId, worker: { readonly name: string }): Promise<RunTicket | null>;
  /** Sends a claim that is stored to its worker. */
  push(worker: Taker, ticket: RunTicket): void;
  /** Calls `pump` at this time, or earlier. */
  wakeAt(at: EpochMs): void;
  /** Keeps the object until this is done. */
  waitUntil(work: Promise<void>): void;
}

export class PoolDispatcher {
  readonly #parts: DispatcherParts;
  readonly #backoff = new ClaimBackoff();
  #queues = new PoolQueues([]);
  #isPaused = false;
  #concurrencyLimit: number | null = null;
  #isClosed = false;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
  }

  configure(isPaused: boolean, concurrencyLimit: number | null, queues: PoolQueues): void {
    this.#isPaused = isPaused;
    this.#concurrencyLimit = concurrencyLimit;
    this.#queues = queues;
  }

  /** The pool is deleted: what claims under way bring is dropped. */
  close(): void {
    this.#isClosed = true;
  }

  /** Resolves when the run is stored as ready or held, or is gone. */
  async offer(run: ReadyRun): Promise<void> {
    const { store, slots, wakeAt } = this.#parts;
    // The claim under way may be about an earlier schedule of the run than this offer, so the offer is not part of it.
    for (let claim = slots.claimOf(run.id); claim; claim = slots.claimOf(run.id)) await claim.done;
    if (this.#isClosed) return;
    const now = clock.now();
    const worker = this.#workerFor(run, now);
    if (worker !== null) return this.#claim(run, worker);
    store.putReady(run);
    wakeAt(this.#lookAt(run, now));
  }

  /** Stores runs that are due soon. One that is being claimed is not stored: it is known here already. */
  offerSoon(runs: readonly ReadyRun[]): void {
    const { store, slots, wakeAt } = this.#parts;
    const now = clock.now();
    const news = runs.filter((run) => !slots.claimOf(run.id));
    if (this.#isClosed || news.length === 0) return;
    store.together(() => {
      for (const run of news) store.putReady(run);
    });
    wakeAt(Math.min(...news.map((run) => this.#lookAt(run, now))) as EpochMs);
  }

  /**
   * The run no longer waits. A claim under way needs no word: the owner gives no ticket for a run that does not wait,
   * and when it gave one before, the run is released later.
   */
  withdraw(id: FlowRunId): void {
    this.#parts.store.deleteReady(id);
    this.#backoff.forget(id);
  }

  /** Starts the claims of as many due runs as there are slots for. */
  pump(): void {
    if (this.#isPaused || this.#isClosed) return;
    const { store, slots, workers, waitUntil } = this.#parts;
    const now = clock.now();
    for (const queue of store.waitingQueues()) {
      // Each queue is looked at by itself, so that one that is paused or full is no obstacle to those behind it.
      if (this.#queues.isPaused(queue.name)) continue;
      const takers = [...workers.all()].filter((worker) => takesFrom(worker, queue.name));
      const hasRoom = () => takers.some((worker) => this.#freeSlots(worker, now) > 0);
      if (!hasRoom()) continue;
      const onlyHeld = this.fullLimit(queue.name) !== null;
      for (const run of store.readyToStart(after(now, this.#prefetch), queue, { onlyHeld })) {
        if (slots.claiming >= CLAIMS_AT_ONCE) return;
        if (slots.claimOf(run.id)) continue;
        const worker = this.#workerFor(run, now);
        if (worker !== null) waitUntil(this.#claim(run, worker));
        else if (!hasRoom() || (!onlyHeld && this.fullLimit(queue.name) !== null)) break;
      }
    }
  }

  /** Which limit keeps a further run of the queue from starting: the pool's, the queue's, or none (null). */
  fullLimit(queueName: string): "work pool" | "work queue" | null {
    const { slots } = this.#parts;
    if (this.#concurrencyLimit !== null && slots.poolUsed >= this.#concurrencyLimit) return "work pool";
    const limit = this.#queues.limitOf(queueName);
    return limit !== null && slots.queueUsed(queueName) >= limit ? "work queue" : null;
  }

  /** Whether the last claims of the run failed, so that it is asked for again at this time. */
  retryAt(id: FlowRunId, now: EpochMs): EpochMs | null {
    return this.#backoff.retryAt(id, now);
  }

  /** When the alarm has to look next; null when nothing becomes possible by time alone. */
  nextWakeAt(now: EpochMs): EpochMs | null {
    const { store } = this.#parts;
    const prefetch = this.#prefetch;
    const early = prefetch > 0 ? store.nextDueAt(after(now, prefetch)) : null;
    const times = [store.nextDueAt(now), early && early - prefetch, this.#backoff.nextRetryAt(now)];
    const next = Math.min(...times.map((at) => at ?? Number.POSITIVE_INFINITY));
    return next === Number.POSITIVE_INFINITY ? null : (next as EpochMs);
  }

  /** When something can be done next about a run that was not claimed at once. */
  #lookAt({ dueAt }: ReadyRun, now: EpochMs): EpochMs {
    const early = (dueAt - this.#prefetch) as EpochMs;
    if (early > now) return early;
    return dueAt > now ? dueAt : after(dueAt, ms(SPANS.lateAfterMs));
  }

  /** The longest time before they are due in which somebody takes runs. */
  get #prefetch(): DurationMs {
    let longest = 0;
    for (const { row, isDraining } of this.#parts.workers.all()) {
      if (!isDraining) longest = Math.max(longest, row.prefetchMs);
    }
    return ms(longest);
  }

  /** The worker that is to get this run now: the one with the most free slots. Null when the run has to wait. */
  #workerFor(run: ReadyRun, now: EpochMs): Taker | null {
    if (this.#isPaused || this.#queues.isPaused(run.queueName) || this.#backoff.blocks(run.id, now)) return null;
    if (this.#parts.slots.isTentative(run.id)) return null;
    // A run that comes back before its slot was released needs no second one.
    if (!this.#parts.slots.occupiesPool(run.id) && this.fullLimit(run.queueName) !== null) return null;
    let best: Taker | null = null;
    let mostFree = 0;
    for (const worker of this.#parts.workers.all()) {
      const free = this.#freeSlots(worker, now);
      if (free <= mostFree || !takesFrom(worker, run.queueName)) continue;
      if (run.dueAt > now + worker.row.prefetchMs) continue;
      best = worker;
      mostFree = free;
    }
    return best;
  }

  #freeSlots(worker: Taker, now: EpochMs): number {
    if (worker.isDraining || this.#parts.workers.isSilent(worker, now)) return 0;
    return worker.row.limit - this.#parts.slots.workerUsed(worker.row.name);
  }

  /** Claims a run for a worker and pushes it. Settles when the run is held, ready again, or gone. */
  async #claim(run: ReadyRun, { row: { name: workerName } }: Taker): Promise<void> {
    const { slots } = this.#parts;
    const settled = Promise.withResolvers<void>();
    const claim: Claim = { id: run.id, workerName, queueName: run.queueName, done: settled.promise, overtakenUpTo: -1 };
    slots.reserve(claim);
    const answer = await this.#ask(run.id, workerName);
    slots.unreserve(claim);
    try {
      if (this.#isClosed) return;
      if (answer.kind === "failed") this.#postpone(run, answer.error);
      else this.#deliver(claim, answer.ticket);
    } finally {
      settled.resolve();
    }
    this.pump();
  }

  async #ask(id: FlowRunId, name: string) {
    try {
      return { kind: "answered", ticket: await this.#parts.claimRun(id, { name }) } as const;
    } catch (error) {
      return { kind: "failed", error } as const;
    }
  }

  /** Nobody knows what became of the claim: the run stays, and is asked for again. */
  #postpone(run: ReadyRun, error: unknown): void {
    const retryAt = this.#backoff.failed(run.id, error, clock.now(), Math.random());
    this.#parts.store.putReady(run);
    this.#parts.wakeAt(retryAt);
    console.warn(`Claiming flow run ${run.id} failed; it is tried again at ${new Date(retryAt).toISOString()}.`, error);
  }

  /** A claim that cannot be pushed is not held: its run comes back when the lease ends. None is pushed twice. */
  #deliver(claim: Claim, ticket: RunTicket | null): void {
    const { store, slots, workers, push } = this.#parts;
    const { id, workerName, queueName } = claim;
    this.#backoff.answered(id);
    const worker = workers.get(workerName);
    const isPushable =
      ticket !== null && ticket.generation > claim.overtakenUpTo && !slots.isHeld(id, ticket.generation);
    if (!isPushable || worker === undefined || worker.isDraining) {
      store.deleteReady(id);
      return;
    }
    const { generation } = ticket;
    store.together(() => {
      store.deleteReady(id);
      const claimedAt = clock.now();
      // Nobody tells when the process of a pushed run is gone: its end is what its owner says.
      const occupied = { occupiesPool: true, occupiesWorker: workerName !== HTTP_TARGET, isTentative: false };
      slots.hold({ id, generation, workerName, queueName, claimedAt, ...occupied });
    });
    push(worker, ticket);
  }
}

function takesFrom(worker: Taker, queueName: string): boolean {
  const { queueNames } = worker.row;
  return queueNames.length === 0 || queueNames.includes(queueName);
}
