/**
 * Who occupies the slots of a pool, of its queues and of its workers: claims under way (memory only) and runs that were pushed
 * (stored). A claim occupies both slots from before it is asked for, so that two offers cannot share the last one.
 */
import type { FlowRunId } from "#protocol/ids";
import type { HeldRun } from "./storage/pool-rows.ts";
import type { PoolStore } from "./storage/pool-store.ts";

/** A claim that the run's owner has not answered yet. */
export interface Claim {
  readonly id: FlowRunId;
  readonly workerName: string;
  readonly queueName: string;
  /** Settles, never rejects, when the answer has been dealt with. */
  readonly done: Promise<void>;
  /** Generations up to this one were withdrawn or released while the claim was under way: they are not pushed. */
  overtakenUpTo: number;
}

export class PoolSlots {
  readonly #store: PoolStore;
  readonly #claims = new Map<FlowRunId, Claim>();
  /** Usually one per run; more when a worker still has the process of an earlier claim. */
  readonly #held = new Map<FlowRunId, readonly HeldRun[]>();
  readonly #poolUses = new Map<FlowRunId, number>();
  readonly #queueUses = new Map<string, Map<FlowRunId, number>>();
  readonly #workerUses = new Map<string, number>();

  constructor(store: PoolStore) {
    this.#store = store;
    for (const run of store.held()) this.#remember(run);
  }

  /** Runs that occupy a slot of the pool; a run with two claims occupies one. */
  get poolUsed(): number {
    return this.#poolUses.size;
  }

  get claiming(): number {
    return this.#claims.size;
  }

  /** Runs that occupy a slot of a queue. */
  queueUsed(queueName: string): number {
    return this.#queueUses.get(queueName)?.size ?? 0;
  }

  /** The runs that occupy slots of a queue, or of the whole pool. */
  holders(queueName: string | null): FlowRunId[] {
    return [...((queueName === null ? this.#poolUses : this.#queueUses.get(queueName))?.keys() ?? [])];
  }

  /** Whether a poller asked for the run's slot and may be given the run: nobody else is to be given it meanwhile. */
  isTentative(id: FlowRunId): boolean {
    return this.#held.get(id)?.some((run) => run.isTentative) ?? false;
  }

  tentative(): HeldRun[] {
    return [...this.#held.values()].flat().filter((run) => run.isTentative);
  }

  /** The run's owner has given the run to the poller that holds its slot. */
  confirm(run: HeldRun): void {
    if (this.isHeld(run.id, run.generation)) this.#put({ ...run, isTentative: false });
  }

  workerUsed(workerName: string): number {
    return this.#workerUses.get(workerName) ?? 0;
  }

  occupiesPool(id: FlowRunId): boolean {
    return this.#poolUses.has(id);
  }

  claimOf(id: FlowRunId): Claim | undefined {
    return this.#claims.get(id);
  }

  /** Occupies the slots for a claim that is about to be asked for. */
  reserve(claim: Claim): void {
    this.#claims.set(claim.id, claim);
    this.#countSlot(claim, 1);
    count(this.#workerUses, claim.workerName, 1);
  }

  /** Ends a reservation, whatever came of it. */
  unreserve(claim: Claim): void {
    this.#claims.delete(claim.id);
    this.#countSlot(claim, -1);
    count(this.#workerUses, claim.workerName, -1);
  }

  /** Stores a claim that is about to be pushed. Earlier claims of the run are over for the pool. */
  hold(run: HeldRun): void {
    this.#releaseHeld(run.id, run.generation - 1, () => true);
    this.#put(run);
  }

  /** Whether this claim was pushed and is not over: an owner answers the same claim again to the same worker. */
  isHeld(id: FlowRunId, generation: number): boolean {
    return this.#held.get(id)?.some((run) => run.generation === generation) ?? false;
  }

  /** The newest claim of the run whose process its worker has. */
  holderOf(id: FlowRunId): HeldRun | null {
    let newest: HeldRun | null = null;
    for (const run of this.#held.get(id) ?? []) {
      if (run.occupiesWorker && run.generation > (newest?.generation ?? -1)) newest = run;
    }
    return newest;
  }

  /**
   * The run's owner released the claims up to a generation; undefined means the one that was pushed, or else the one
   * that is under way: a release may overtake the answer to the claim that it is about.
   */
  release(id: FlowRunId, generation: number | undefined, isConnected: (workerName: string) => boolean): void {
    const upToGeneration = generation ?? Number.POSITIVE_INFINITY;
    const claim = this.#claims.get(id);
    const isPushed = this.#held.get(id)?.some((run) => run.occupiesPool) ?? false;
    if (claim && (generation !== undefined || !isPushed)) {
      claim.overtakenUpTo = Math.max(claim.overtakenUpTo, upToGeneration);
    }
    this.#releaseHeld(id, upToGeneration, isConnected);
  }

  /** The worker's process of this claim is gone. Nothing happens when the worker does not have it. */
  releaseFromWorker(workerName: string, id: FlowRunId, generation: number): void {
    const run = this.#held.get(id)?.find((held) => held.generation === generation);
    if (run?.occupiesWorker && run.workerName === workerName) this.#put({ ...run, occupiesWorker: false });
  }

  /** A worker connected with these processes: it has them and no others. */
  workerHas(
    workerName: string,
    runs: readonly Pick<HeldRun, "id" | "generation">[],
    claimedAt: HeldRun["claimedAt"],
  ): void {
    const listed = new Map(runs.map((run) => [key(run), run]));
    for (const run of this.#ofWorker(workerName)) {
      const isListed = listed.delete(key(run));
      if (isListed !== run.occupiesWorker) this.#put({ ...run, occupiesWorker: isListed });
    }
    for (const run of listed.values()) {
      const known = this.#held.get(run.id)?.find((held) => held.generation === run.generation);
      // A generation has one holder. A process that the pool has forgotten occupies its worker, not the pool.
      if (known === undefined) {
        this.#put({
          id: run.id,
          generation: run.generation,
          workerName,
          claimedAt,
          queueName: "",
          isTentative: false,
          occupiesPool: false,
          occupiesWorker: true,
        });
      }
    }
  }

  /** A worker is not connected: claims that only it could end are forgotten. */
  workerLeft(workerName: string): void {
    for (const run of this.#ofWorker(workerName)) if (!run.occupiesPool) this.#put({ ...run, occupiesWorker: false });
  }

  /** A queue has another name: runs that hold its slots go on doing so. */
  renameQueue(from: string, to: string): void {
    for (const run of [...this.#held.values()].flat()) {
      if (run.queueName !== from) continue;
      this.#forget(run);
      this.#remember({ ...run, queueName: to });
    }
  }

  /** Every worker that has or had a run that is held. */
  workerNames(): Set<string> {
    return new Set([...this.#held.values()].flat().map((run) => run.workerName));
  }

  /**
   * A worker that is not connected cannot say that a process is gone: when it comes back it tells which ones it has.
   */
  #releaseHeld(id: FlowRunId, upToGeneration: number, isConnected: (workerName: string) => boolean): void {
    for (const run of this.#held.get(id) ?? []) {
      if (run.generation > upToGeneration || !run.occupiesPool) continue;
      this.#put({
        ...run,
        occupiesPool: false,
        occupiesWorker: run.occupiesWorker && isConnected(run.workerName),
      });
    }
  }

  #ofWorker(workerName: string): HeldRun[] {
    return [...this.#held.values()].flat().filter((run) => run.workerName === workerName);
  }

  /** Stores a claim as it is now; one that occupies nothing any more is deleted. */
  #put(run: HeldRun): void {
    this.#forget(run);
    if (!run.occupiesPool && !run.occupiesWorker) {
      this.#store.deleteHeld(run.id, run.generation);
      return;
    }
    this.#remember(run);
    this.#store.putHeld(run);
  }

  #remember(run: HeldRun): void {
    this.#held.set(run.id, [...(this.#held.get(run.id) ?? []), run]);
    if (run.occupiesPool) this.#countSlot(run, 1);
    if (run.occupiesWorker) count(this.#workerUses, run.workerName, 1);
  }

  #countSlot({ id, queueName }: Pick<HeldRun, "id" | "queueName">, by: 1 | -1): void {
    count(this.#poolUses, id, by);
    const uses = this.#queueUses.get(queueName) ?? new Map<FlowRunId, number>();
    count(uses, id, by);
    if (uses.size > 0) this.#queueUses.set(queueName, uses);
    else this.#queueUses.delete(queueName);
  }

  #forget(run: HeldRun): void {
    const all = this.#held.get(run.id) ?? [];
    const known = all.find((held) => held.generation === run.generation);
    if (known === undefined) return;
    const others = all.filter((held) => held !== known);
    if (others.length > 0) this.#held.set(run.id, others);
    else this.#held.delete(run.id);
    if (known.occupiesPool) this.#countSlot(known, -1);
    if (known.occupiesWorker) count(this.#workerUses, known.workerName, -1);
  }
}

function key(run: Pick<HeldRun, "id" | "generation">): string {
  return `${run.id}/${run.generation}`;
}

function count<K>(uses: Map<K, number>, of: K, by: 1 | -1): void {
  const next = (uses.get(of) ?? 0) + by;
  if (next > 0) uses.set(of, next);
  else uses.delete(of);
}
