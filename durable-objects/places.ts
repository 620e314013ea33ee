/**
 * Asks for slots before a state is decided on, of the run's pool and then of its deployment, and gives back what the
 * decision made no use of. A slot of a pool is asked for
 * under the number that the claim would get, so that two pollers who ask at the same time ask for the same one.
 */
import { isInHand } from "#machine/occupancy";
import type { Reservation } from "#machine/rule";
import type { FlowRunId } from "#protocol/ids";
import type { StateCreate } from "#protocol/states";
import { type Performer, standingEffects } from "./perform.ts";
import { NOTHING_DEMANDED, type Reserver } from "./reserve.ts";
import type { RunStore } from "./storage/run-store.ts";
import type { WorkPoolOwner } from "./work-pool-owner.ts";

/** What a decision is told of slots. */
export interface Asked {
  readonly reservation: Reservation;
  /** The number of the claim that the proposal makes, if it is accepted; null where it makes none. */
  readonly claim: number | null;
}

export const NOTHING_ASKED: Asked = { reservation: NOTHING_DEMANDED, claim: null };

export interface Proposal {
  readonly state: StateCreate;
  readonly force: boolean;
}

export interface PlacesParts {
  readonly store: RunStore;
  readonly performer: Performer;
  readonly reserver: Pick<Reserver, "reserve" | "settle">;
  pool(name: string): Pick<WorkPoolOwner, "reserve" | "release">;
  commit<T>(job: () => T): Promise<T>;
}

export class Places {
  readonly #parts: PlacesParts;
  constructor(parts: PlacesParts) {
    this.#parts = parts;
  }

  /** Has the decision made with what was asked for. Whoever insists (force) needs no slot and occupies none. */
  propose<T>(id: FlowRunId, proposal: Proposal, decide: (asked: Asked) => T): Promise<T> {
    const isClaim = proposal.state.type === "PENDING" && !proposal.force;
    return isClaim ? this.#claim(id, proposal, decide) : this.#plain(id, proposal, decide);
  }

  async #plain<T>(id: FlowRunId, proposal: Proposal, decide: (asked: Asked) => T): Promise<T> {
    const { reserver, commit } = this.#parts;
    if (proposal.force) return commit(() => decide(NOTHING_ASKED));
    const reserved = await reserver.reserve(id, proposal.state.type, "client");
    const answer = await commit(() => decide({ reservation: reserved.reservation, claim: null }));
    await reserver.settle(id, reserved);
    return answer;
  }

  async #claim<T>(id: FlowRunId, proposal: Proposal, decide: (asked: Asked) => T): Promise<T> {
    const { store, commit, reserver } = this.#parts;
    const row = store.run(id);
    const placement = store.spec(id)?.placement;
    if (!row || !placement || this.#isInHand(id)) return this.#plain(id, proposal, decide);
    const claim = row.claims + 1;
    const pool = this.#parts.pool(placement.poolName);
    const place = await pool.reserve({ id, generation: claim, queue: placement.queue });
    if (place.kind === "full") {
      const { limit, heldBy } = place;
      return commit(() => decide({ reservation: { kind: "no-place", limit, heldBy }, claim: null }));
    }
    // The pool's slot first: it is the nearer one, and a slot of a deployment's limit is not kept waiting for it.
    const reserved = await reserver.reserve(id, proposal.state.type, "client");
    const outcome = await commit(() => {
      // Somebody else may have had the run since: what was asked for is then the slot of a claim that is over.
      const isStale = store.run(id)?.claims !== row.claims && !this.#isInHand(id);
      return isStale ? null : { answer: decide({ reservation: reserved.reservation, claim }) };
    });
    await reserver.settle(id, reserved);
    const isUsed = store.run(id)?.claims === claim && this.#isInHand(id);
    if (place.isTaken && !isUsed) await this.#giveBack(id, claim, pool);
    return outcome ? outcome.answer : this.#claim(id, proposal, decide);
  }

  #isInHand(id: FlowRunId): boolean {
    const record = this.#parts.store.run(id)?.record;
    return record !== undefined && isInHand(record.state, record.policy);
  }

  /** The claim came to nothing: its slot is free again, and the run waits as before. */
  async #giveBack(id: FlowRunId, claim: number, pool: Pick<WorkPoolOwner, "release">): Promise<void> {
    const { store, performer } = this.#parts;
    try {
      const row = store.run(id);
      const offer = row && standingEffects(row).find(({ kind }) => kind === "offer");
      if (row && offer) await performer.perform(id, offer, row.claims);
      await pool.release(id, claim);
    } catch (error) {
      // The pool asks by itself what became of the claim.
      console.warn(`The slot of flow run ${id} could not be given back; its pool will ask for it.`, error);
    }
  }
}
