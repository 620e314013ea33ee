/**
 * Slots for runs that pollers claim. The run's owner decides who gets the run, so the slot is taken first, and what
 * became of the claim is asked if nobody says so: an owner that was reset in between leaves no slot occupied.
 */
import type { FlowRunId } from "#protocol/ids";
import { SPANS } from "#protocol/limits";
import { after, type EpochMs, ms } from "#protocol/time";
import { clock } from "./clock.ts";
import type { PoolDispatcher } from "./pool-dispatcher.ts";
import type { PoolSlots } from "./pool-slots.ts";
import type { PoolStore } from "./storage/pool-store.ts";
import type { Place, PolledClaim } from "./work-pool-owner.ts";

/** Holders that a full limit names. */
const HOLDERS_NAMED = 10;
/** An owner that could not be asked is asked again after this many milliseconds. */
const ASK_AGAIN_MS = 5_000;

export interface ReservationParts {
  readonly store: PoolStore;
  readonly slots: PoolSlots;
  readonly dispatcher: PoolDispatcher;
  readonly poolName: string;
  /** Asks the run's owner whether the claim of this number came about and stands. */
  holdsClaim(id: FlowRunId, generation: number): Promise<boolean>;
  /** Has the run's owner offer it to the pool again, if it waits. */
  offerAgain(id: FlowRunId): Promise<void>;
  wakeAt(at: EpochMs): void;
}

export class PoolReservations {
  readonly #parts: ReservationParts;

  constructor(parts: ReservationParts) {
    this.#parts = parts;
  }

  async reserve({ id, generation }: PolledClaim, queueName: string): Promise<Place> {
    const { store, slots, dispatcher, poolName, wakeAt } = this.#parts;
    // A claim for a connected worker may be under way; the run's owner gives the run to one of the two.
    for (let claim = slots.claimOf(id); claim; claim = slots.claimOf(id)) await claim.done;
    if (slots.isHeld(id, generation)) return { kind: "granted", isTaken: slots.isTentative(id) };
    const full = slots.occupiesPool(id) ? null : dispatcher.fullLimit(queueName);
    if (full !== null) {
      const isPool = full === "work pool";
      const limit = isPool ? `work pool "${poolName}"` : `work queue "${poolName}/${queueName}"`;
      return { kind: "full", limit, heldBy: slots.holders(isPool ? null : queueName).slice(0, HOLDERS_NAMED) };
    }
    const claimedAt = clock.now();
    store.together(() => {
      store.deleteReady(id);
      const occupied = { occupiesPool: true, occupiesWorker: false, isTentative: true };
      slots.hold({ id, generation, workerName: "", queueName, claimedAt, ...occupied });
    });
    wakeAt(after(claimedAt, ms(SPANS.tentativeHoldMs)));
    return { kind: "granted", isTaken: true };
  }

  /** Asks what became of claims that have been tentative for long. Answers whether a slot became free. */
  async settle(now: EpochMs): Promise<boolean> {
    const { slots, wakeAt } = this.#parts;
    const tentative = slots.tentative();
    const isDue = (claimedAt: EpochMs) => claimedAt + SPANS.tentativeHoldMs <= now;
    for (const { claimedAt } of tentative) {
      if (!isDue(claimedAt)) wakeAt(after(claimedAt, ms(SPANS.tentativeHoldMs)));
    }
    const outcomes = await Promise.all(
      tentative.filter(({ claimedAt }) => isDue(claimedAt)).map((run) => this.#settleOne(run, now)),
    );
    return outcomes.includes(true);
  }

  async #settleOne(run: ReturnType<PoolSlots["tentative"]>[number], now: EpochMs): Promise<boolean> {
    const { slots, holdsClaim, offerAgain, wakeAt } = this.#parts;
    try {
      if (await holdsClaim(run.id, run.generation)) {
        slots.confirm(run);
        return false;
      }
      // In this order: between the two the run waits, and nobody is given it.
      await offerAgain(run.id);
      slots.release(run.id, run.generation, () => false);
      return true;
    } catch (error) {
      console.warn(`What became of the claim of flow run ${run.id} could not be asked; it is asked again.`, error);
      wakeAt(after(now, ms(ASK_AGAIN_MS)));
      return false;
    }
  }
}
