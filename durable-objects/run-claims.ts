/** Claims of waiting runs: made for a worker, confirmed, extended, and given back when nobody starts the run. */
import { isInHand, WAITS_FOR_A_SLOT } from "#machine/occupancy";
import { CLAIM_POLICY } from "#machine/policies/claim";
import { FLOW_RUN_POLICY } from "#machine/policies/flow-run";
import type { Decision, Lease, Reservation } from "#machine/rule";
import type { FlowRunId } from "#protocol/ids";
import { LIMITS, SPANS } from "#protocol/limits";
import { HTTP_TARGET } from "#protocol/push";
import { NO_DETAILS, type StateCreate } from "#protocol/states";
import { type EpochMs, fromWireTime, toWireTime } from "#protocol/time";
import type { RunTicket } from "#protocol/worker-channel";
import { INFRASTRUCTURE_PENDING, polledTermMs } from "./polled-claims.ts";
import { NOTHING_DEMANDED } from "./reserve.ts";
import { type RecorderParts, type RunWriter, SESSION_PREFIX, systemState } from "./run-writer.ts";
import type { RunRow, RunSpec } from "./storage/run-rows.ts";

/** Every method belongs inside a transaction, and awaits nothing (I3). */
export class RunClaims {
  readonly #parts: RecorderParts;
  readonly #writer: RunWriter;

  constructor(parts: RecorderParts, writer: RunWriter) {
    this.#parts = parts;
    this.#writer = writer;
  }

  /** Claims a waiting run for a worker; see FlowRunOwner.claim. */
  claim(id: FlowRunId, worker: { readonly name: string }, reservation: Reservation): RunTicket | null {
    const { store, now, deadlines } = this.#parts;
    const row = store.run(id);
    const spec = store.spec(id);
    if (!row || !spec?.placement) return null;
    const at = now();
    // The pool asks again when it did not hear the answer: the claim it already has is its answer.
    const mine = row.lease?.holder === worker.name && row.record.state?.type === "PENDING" && row.lease.expiresAt > at;
    if (mine && row.lease) return ticketOf(id, spec, row.lease, at);
    if (row.record.state?.type !== "SCHEDULED" || row.record.policy.retry_type === "in_process") return null;
    const pending: StateCreate = {
      type: "PENDING",
      name: null,
      message: `Claimed by worker "${worker.name}".`,
      data: null,
      state_details: NO_DETAILS,
    };
    const decision = this.#writer.decide(row, pending, FLOW_RUN_POLICY, reservation, at);
    if (decision.result.status !== "ACCEPT" || !decision.written) {
      if (decision.written) this.#writer.write(id, row, decision, {});
      return null;
    }
    const generation = row.claims + 1;
    const lease: Lease = { holder: worker.name, generation, expiresAt: (at + SPANS.claimLeaseMs) as EpochMs };
    this.#writer.write(id, row, decision, { lease, claims: generation });
    deadlines.watch(id, "claim", lease.expiresAt);
    return ticketOf(id, spec, lease, at);
  }

  /**
   * A slot is free for a run that waits for one: it is due now. False when it does not wait for one, or was told so
   * before.
   */
  slotFree(id: FlowRunId): boolean {
    const { store, now } = this.#parts;
    const row = store.run(id);
    const state = row?.record.state;
    const dueAt = state?.state_details.scheduled_time;
    const at = now();
    if (!row || state?.type !== "SCHEDULED" || state.name !== WAITS_FOR_A_SLOT) return false;
    if (!dueAt || fromWireTime(dueAt) <= at) return false;
    const due: StateCreate = {
      ...systemState("SCHEDULED", WAITS_FOR_A_SLOT, "A slot is free: the run waits for a worker."),
      state_details: { ...NO_DETAILS, scheduled_time: toWireTime(at) },
    };
    const decision = this.#writer.decide(row, due, FLOW_RUN_POLICY, NOTHING_DEMANDED, at);
    if (decision.written) this.#writer.write(id, row, decision, {});
    return decision.written !== null;
  }

  /**
   * Gives back a claim that was not confirmed: the run waits again, later each time; after a bounded number of
   * claims it ends Crashed with the reason of each. False when it is not there to be given back.
   */
  giveBack(id: FlowRunId, generation: number, reason: string): boolean {
    const { store, deadlines } = this.#parts;
    const row = store.run(id);
    if (row?.record.state?.type !== "PENDING" || row.lease?.generation !== generation) {
      if (deadlines.kindOf(id) === "claim") deadlines.unwatch(id);
      return false;
    }
    return this.#returned(id, row, reason);
  }

  /** Takes a claim that was made over REST back from a holder that is gone; see {@link giveBack}. */
  takeBack(id: FlowRunId, reason: string): boolean {
    const { store, deadlines } = this.#parts;
    const row = store.run(id);
    if (row?.record.state?.type === "PENDING" && row.lease === null) return this.#returned(id, row, reason);
    if (deadlines.kindOf(id) === "polled") deadlines.unwatch(id);
    return false;
  }

  #returned(id: FlowRunId, row: RunRow, reason: string): boolean {
    const at = this.#parts.now();
    const returned = [...row.returned, reason];
    const exhausted = returned.length >= LIMITS.claimAttempts;
    const scheduled = toWireTime((at + 1_000 * 2 ** (returned.length - 1)) as EpochMs);
    const state: StateCreate = exhausted
      ? systemState(
          "CRASHED",
          null,
          `No worker started this run. ${returned.map((why, at) => `${at + 1}: ${why}`).join(" ")}`,
        )
      : {
          ...systemState("SCHEDULED", null, `${reason} The run waits for a worker again.`),
          state_details: { ...NO_DETAILS, scheduled_time: scheduled },
        };
    const decision = this.#writer.decide(row, state, CLAIM_POLICY, NOTHING_DEMANDED, at);
    if (decision.written) this.#writer.write(id, row, decision, { lease: null, returned });
    return decision.written !== null;
  }

  /** A claim whose worker is online holds on. */
  extendClaim(id: FlowRunId, generation: number): void {
    const { store, now, deadlines } = this.#parts;
    const row = store.run(id);
    if (row?.record.state?.type !== "PENDING" || row.lease?.generation !== generation) {
      if (row?.record.state?.type !== "RUNNING") deadlines.unwatch(id);
      return;
    }
    const expiresAt = (now() + SPANS.claimLeaseMs) as EpochMs;
    store.putRun(id, { ...row, lease: { ...row.lease, expiresAt } });
    deadlines.watch(id, "claim", expiresAt);
  }

  /**
   * A process asks to take up a run. Of a claim that was pushed there may be several, since a request can arrive twice:
   * the first one has it, and comes back to it under its session. False for all others.
   */
  takeUp(id: FlowRunId, session: string): boolean {
    const { store, deadlines, now } = this.#parts;
    const row = store.run(id);
    const lease = row?.lease;
    if (!row || !lease) return true;
    const holder = `${SESSION_PREFIX}${session}`;
    if (lease.holder.startsWith(SESSION_PREFIX)) return lease.holder === holder;
    if (lease.holder !== HTTP_TARGET) return true;
    const expiresAt = (now() + SPANS.claimLeaseMs) as EpochMs;
    store.putRun(id, { ...row, lease: { ...lease, holder, expiresAt } });
    deadlines.watch(id, "claim", expiresAt);
    return true;
  }

  /**
   * A claim that was made over REST has a lease as well: it begins with the claim, and goes on with each report of the
   * holder, also one that says nothing new.
   */
  watchPolled(id: FlowRunId, before: RunRow, { written }: Decision): void {
    const { store, deadlines, now } = this.#parts;
    const after = store.run(id);
    if (after?.record.state?.type !== "PENDING" || after.lease !== null) return;
    const isClaim = written !== null && !isInHand(before.record.state, before.record.policy);
    const isOffered = after.record.pooled || after.record.deploymentId !== null;
    const isReport = written !== null || after.record.state.name === INFRASTRUCTURE_PENDING;
    const at = now();
    const termMs = polledTermMs(after.record.state);
    if (isClaim && isOffered) deadlines.watch(id, "polled", (at + termMs) as EpochMs);
    else if (isReport && deadlines.kindOf(id) === "polled") deadlines.renew(id, "polled", at, termMs);
  }
}

function ticketOf(id: FlowRunId, spec: RunSpec, lease: Lease, now: EpochMs): RunTicket | null {
  const placement = spec.placement;
  if (!placement) return null;
  return {
    flow_run_id: id,
    name: spec.name,
    generation: lease.generation,
    lease_ms: lease.expiresAt - now,
    deployment_id: spec.deploymentId,
    entrypoint: placement.entrypoint,
    path: placement.path,
    pull_steps: placement.pullSteps,
    job_variables: placement.jobVariables,
    work_queue_name: placement.queue.name,
    run_token: null,
  };
}
