/** Ends of runs that nobody reports: their process is lost, their time is over, or somebody else's end is theirs. */
import { isInHand } from "#machine/occupancy";
import { CLAIM_POLICY } from "#machine/policies/claim";
import { FLOW_RUN_POLICY } from "#machine/policies/flow-run";
import { FORCED_POLICY } from "#machine/policies/forced";
import { LATE_POLICY } from "#machine/policies/late";
import type { Reservation } from "#machine/rule";
import type { FlowRunId } from "#protocol/ids";
import { isTerminal } from "#protocol/states";
import { offeredAgain } from "./on-lost.ts";
import { NOTHING_DEMANDED } from "./reserve.ts";
import { type RecorderParts, type RunWriter, systemState } from "./run-writer.ts";
import { type StateDeadlineKind, stateAfterDeadline, stateDeadline } from "./state-deadlines.ts";
import type { RunRow } from "./storage/run-rows.ts";
import { expired, timeToLiveMs } from "./time-to-live.ts";

/** Every method belongs inside a transaction, and awaits nothing (I3). */
export class RunEndings {
  readonly #parts: RecorderParts;
  readonly #writer: RunWriter;

  constructor(parts: RecorderParts, writer: RunWriter) {
    this.#parts = parts;
    this.#writer = writer;
  }

  /** Ends a run whose process fell silent, in whatever state the process had it in hand. */
  declareLost(id: FlowRunId, silentMs: number): void {
    const { store, deadlines, now } = this.#parts;
    const row = store.run(id);
    if (!row || !isInHand(row.record.state, row.record.policy)) {
      deadlines.unwatch(id);
      return;
    }
    const reason = `The process that ran this flow has not been heard of for ${Math.round(silentMs / 1000)} s.`;
    if (this.offerAgain(id, row, reason)) return;
    // What was to be cancelled is gone with its process.
    const outcome = row.record.state?.type === "CANCELLING" ? "CANCELLED" : "CRASHED";
    const decision = this.#writer.decide(
      row,
      systemState(outcome, null, reason),
      CLAIM_POLICY,
      NOTHING_DEMANDED,
      now(),
    );
    if (decision.written) this.#writer.write(id, row, decision, { lease: null });
    else deadlines.unwatch(id);
  }

  /** Offers a run again whose process was lost, where its deployment says so. False where it has to end. */
  offerAgain(id: FlowRunId, row: RunRow, reason: string): boolean {
    const at = this.#parts.now();
    const lost = offeredAgain(row, this.#parts.store.spec(id), reason, at);
    if (lost === null) return false;
    const decision = this.#writer.decide(row, lost.state, CLAIM_POLICY, NOTHING_DEMANDED, at);
    if (decision.written) this.#writer.write(id, row, decision, { lease: null, returned: lost.returned });
    return decision.written !== null;
  }

  /**
   * Does what the passing of time makes of a run's state; nothing if the run has another state by now. `reservation` says
   * whether there would be a slot for a run that is late.
   */
  endState(id: FlowRunId, kind: StateDeadlineKind, reservation: Reservation = NOTHING_DEMANDED): void {
    const { store, deadlines, now } = this.#parts;
    const row = store.run(id);
    const state = row?.record.state;
    const ttlMs = timeToLiveMs(store.spec(id)?.labels);
    const deadline = row && stateDeadline(row, () => ttlMs);
    if (row && state && deadline?.kind === kind) {
      // A pause ends by its timeout even where nobody may end it otherwise.
      const policies = {
        late: LATE_POLICY,
        pause: FORCED_POLICY,
        cancelling: FLOW_RUN_POLICY,
        expired: FLOW_RUN_POLICY,
      };
      const next = kind === "expired" ? expired(ttlMs ?? 0) : stateAfterDeadline(kind, state);
      const decision = this.#writer.decide(row, next, policies[kind], reservation, now());
      if (decision.written) {
        this.#writer.write(id, row, decision, {});
        return;
      }
    }
    if (deadlines.kindOf(id) === kind) deadlines.unwatch(id);
  }

  /** A run that nobody has taken yet is late; asked for by the pool in which it waits. */
  markLate(id: FlowRunId, reservation: Reservation): void {
    const { store, now } = this.#parts;
    const row = store.run(id);
    const state = row?.record.state;
    if (!row || state?.type !== "SCHEDULED" || state.name !== "Scheduled") return;
    const decision = this.#writer.decide(row, stateAfterDeadline("late", state), LATE_POLICY, reservation, now());
    if (decision.written) this.#writer.write(id, row, decision, {});
  }

  /** A child of a cancelled run is cancelled with it: at once, or through its worker when it has a deployment. */
  cancelWithParent(id: FlowRunId): void {
    this.#cancel(id, "The parent flow run was cancelled.");
  }

  /** Cancels a run for which a newer one came; see FlowRunOwner.supersede. */
  supersede(id: FlowRunId, which: "waiting" | "any"): void {
    const state = this.#parts.store.run(id)?.record.state;
    if (which === "any" || state?.type === "SCHEDULED") this.#cancel(id, "A newer run took its place.");
  }

  #cancel(id: FlowRunId, message: string): void {
    const { store, now } = this.#parts;
    const row = store.run(id);
    if (!row || isTerminal(row.record.state?.type) || row.record.state?.type === "CANCELLING") return;
    const waits = row.record.state?.type === "SCHEDULED" && !isInHand(row.record.state, row.record.policy);
    const type = waits || row.record.deploymentId === null ? "CANCELLED" : "CANCELLING";
    const state = systemState(type, null, message);
    const decision = this.#writer.decide(row, state, FLOW_RUN_POLICY, NOTHING_DEMANDED, now());
    if (decision.written) this.#writer.write(id, row, decision, {});
  }
}
