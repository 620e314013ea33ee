/**
 * The synchronous heart of an object that owns flow runs: facts → decision → rows. Every method runs inside one
 * transaction and awaits nothing (I3); what must follow is marked here and done by the copier and the performer.
 */
import { decide } from "#machine/decide";
import { isInHand, WAITS_FOR_A_SLOT } from "#machine/occupancy";
import { CLAIM_POLICY } from "#machine/policies/claim";
import { FLOW_RUN_POLICY } from "#machine/policies/flow-run";
import { FORCED_POLICY } from "#machine/policies/forced";
import { LATE_POLICY } from "#machine/policies/late";
import type { Decision, FlowRunRecord, Lease, Policy, Reservation } from "#machine/rule";
import { TTL_LABEL } from "#protocol/flow-control";
import { type FlowRun, FlowRunPolicy, type FlowRunUpdate, type Labels } from "#protocol/flow-runs";
import type { FlowRunId } from "#protocol/ids";
import { LIMITS, SPANS } from "#protocol/limits";
import { HTTP_TARGET } from "#protocol/push";
import { isTerminal, NO_DETAILS, type OrchestrationResult, type StateCreate } from "#protocol/states";
import { type EpochMs, fromWireTime, toWireTime } from "#protocol/time";
import type { RunTicket } from "#protocol/worker-channel";
import type { Copier } from "./copier.ts";
import type { Deadlines } from "./deadlines.ts";
import type { NewFlowRun } from "./flow-run-owner.ts";
import type { Heartbeats } from "./heartbeats.ts";
import { offeredAgain } from "./on-lost.ts";
import type { PartitionIds } from "./partition.ts";
import type { Performer } from "./perform.ts";
import { type Asked, NOTHING_ASKED } from "./places.ts";
import { INFRASTRUCTURE_PENDING, polledTermMs } from "./polled-claims.ts";
import type { ReportRecorder } from "./report-recorder.ts";
import { NOTHING_DEMANDED } from "./reserve.ts";
import { isAwaited } from "./schedule-gate.ts";
import type { Sequence } from "./sequence.ts";
import { type StateDeadlineKind, stateAfterDeadline, stateDeadline } from "./state-deadlines.ts";
import type { RunRow, RunSpec, RunStore } from "./storage/run-store.ts";
import { dueTimeOf, expired, timeToLiveMs } from "./time-to-live.ts";

/** Stands before the session of the process that took up a pushed run, where the holder of its lease is named. */
const SESSION_PREFIX = "session ";
/** Changes after which the watermark is written: that many are copied twice after a crash, at most. */
const WATERMARK_STEP = 100;

export interface RecorderParts {
  readonly store: RunStore;
  readonly ids: PartitionIds;
  readonly copier: Copier;
  readonly performer: Performer;
  readonly deadlines: Deadlines;
  readonly heartbeats: Heartbeats;
  readonly reports: ReportRecorder;
  readonly sequence: Sequence;
  readonly now: () => EpochMs;
  readonly heartbeatMs: number;
}

export class RunRecorder {
  readonly #parts: RecorderParts;
  #watermark: number;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
    this.#watermark = parts.store.mark("copied");
  }

  get watermark(): number {
    return this.#watermark;
  }

  /** Writes what can wait for the next commit: the block of numbers in use and, now and then, the watermark. */
  beforeCommit(force = false): void {
    const { store, copier, performer, reports, sequence } = this.#parts;
    sequence.reserve(store);
    const done = Math.min(copier.watermark(sequence.current), performer.watermark(sequence.current));
    if (done - this.#watermark < (force ? 1 : WATERMARK_STEP)) return;
    this.#watermark = done;
    store.setMark("copied", done);
    reports.dropMarks(done);
  }

  /** Stores a new run with its first state. An id that is known already is left as it is. */
  create(input: NewFlowRun): { created: boolean; seq: number } {
    const { store, now } = this.#parts;
    const known = store.run(input.id);
    if (known) return { created: false, seq: known.version };
    const at = now();
    const spec = specOf(input, at);
    const record: FlowRunRecord = {
      flowRunId: input.id,
      state: null,
      runCount: 0,
      totalRunTimeMs: 0,
      startTime: null,
      endTime: null,
      expectedStartTime: null,
      nextScheduledStartTime: null,
      policy: FlowRunPolicy.parse(input.request.empirical_policy ?? {}),
      deploymentId: spec.deploymentId,
      parentTaskRunId: spec.parentTaskRunId,
      infrastructurePid: null,
      pooled: spec.placement !== null,
    };
    store.insertSpec(input.id, spec);
    const row: RunRow = {
      record,
      version: 0,
      updatedAt: at,
      lease: null,
      claims: 0,
      returned: [],
      states: [],
    };
    const first = input.state;
    const decision = first && this.#decide(row, first, FORCED_POLICY, NOTHING_DEMANDED, at);
    if (decision?.written) this.#write(input.id, row, decision, {});
    else this.#touch(input.id, { ...row, record: { ...record, expectedStartTime: at } });
    return { created: true, seq: this.#parts.sequence.current };
  }

  /** Stores a run that was dormant until now, with the state that it has. One that is known is left as it is. */
  adopt({ run, spec }: { readonly run: FlowRun; readonly spec: RunSpec }, isOffered: boolean): void {
    const { store, ids, copier, performer, deadlines, sequence, now } = this.#parts;
    if (store.run(run.id) || run.state === null) return;
    // States are found by their ids' times, which ascend with the journal's numbers.
    const state = { ...run.state, id: ids.state(now()) };
    const dueAt = fromWireTime(state.state_details.scheduled_time ?? state.timestamp);
    const record: FlowRunRecord = {
      flowRunId: run.id,
      state,
      runCount: 0,
      totalRunTimeMs: 0,
      startTime: null,
      endTime: null,
      expectedStartTime: dueAt,
      nextScheduledStartTime: dueAt,
      policy: run.empirical_policy,
      deploymentId: spec.deploymentId,
      parentTaskRunId: spec.parentTaskRunId,
      infrastructurePid: null,
      pooled: spec.placement !== null,
    };
    const seq = sequence.next();
    store.insertSpec(run.id, spec);
    store.appendJournal(seq, run.id, state);
    store.putRun(run.id, {
      record,
      version: seq,
      updatedAt: now(),
      lease: null,
      claims: 0,
      returned: [],
      states: [seq],
    });
    const deadline = stateDeadline({ record }, () => timeToLiveMs(spec.labels));
    if (deadline !== null) deadlines.watch(run.id, deadline.kind, deadline.dueAt);
    copier.markRun(run.id, seq, false, 0);
    if (record.pooled && !isOffered) performer.add(run.id, seq, [{ kind: "offer", dueAt }], 0);
  }

  /** Proposes a state. Null when there is no such run. */
  propose(
    id: FlowRunId,
    proposal: { readonly state: StateCreate; readonly force: boolean },
    { reservation, claim }: Asked = NOTHING_ASKED,
  ): { result: OrchestrationResult; written: boolean } | null {
    const row = this.#parts.store.run(id);
    if (!row) return null;
    const { type, message } = proposal.state;
    // A worker tells of the end of a process that it had started.
    if (type === "CRASHED" && this.#offerAgain(id, row, message ?? "The process that ran this flow has ended.")) {
      const { state = null } = this.#parts.store.run(id)?.record ?? {};
      const details = { type: "reject_details", reason: "The deployment has lost runs offered again." } as const;
      return { result: { status: "REJECT", state, details }, written: true };
    }
    const policy = proposal.force ? FORCED_POLICY : FLOW_RUN_POLICY;
    const decision = this.#decide(row, proposal.state, policy, reservation, this.#parts.now());
    const isClaimed = claim !== null && decision.written?.state.type === "PENDING";
    if (decision.written) this.#write(id, row, decision, isClaimed ? { claims: claim } : {});
    if (!proposal.force && proposal.state.type === "PENDING") this.#watchPolledClaim(id, row, decision);
    return { result: decision.result, written: decision.written !== null };
  }

  /**
   * A claim that was made over REST has a lease as well: it begins with the claim, and goes on with each report of the
   * holder, also one that says nothing new.
   */
  #watchPolledClaim(id: FlowRunId, before: RunRow, { written }: Decision): void {
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
    const decision = this.#decide(row, pending, FLOW_RUN_POLICY, reservation, at);
    if (decision.result.status !== "ACCEPT" || !decision.written) {
      if (decision.written) this.#write(id, row, decision, {});
      return null;
    }
    const generation = row.claims + 1;
    const lease: Lease = { holder: worker.name, generation, expiresAt: (at + SPANS.claimLeaseMs) as EpochMs };
    this.#write(id, row, decision, { lease, claims: generation });
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
    const decision = this.#decide(row, due, FLOW_RUN_POLICY, NOTHING_DEMANDED, at);
    if (decision.written) this.#write(id, row, decision, {});
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
    const decision = this.#decide(row, state, CLAIM_POLICY, NOTHING_DEMANDED, at);
    if (decision.written) this.#write(id, row, decision, { lease: null, returned });
    return decision.written !== null;
  }

  /** Takes a claim that was made over REST back from a holder that is gone; see {@link giveBack}. */
  takeBack(id: FlowRunId, reason: string): boolean {
    const { store, deadlines } = this.#parts;
    const row = store.run(id);
    if (row?.record.state?.type === "PENDING" && row.lease === null) return this.#returned(id, row, reason);
    if (deadlines.kindOf(id) === "polled") deadlines.unwatch(id);
    return false;
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
    if (this.#offerAgain(id, row, reason)) return;
    // What was to be cancelled is gone with its process.
    const outcome = row.record.state?.type === "CANCELLING" ? "CANCELLED" : "CRASHED";
    const decision = this.#decide(row, systemState(outcome, null, reason), CLAIM_POLICY, NOTHING_DEMANDED, now());
    if (decision.written) this.#write(id, row, decision, { lease: null });
    else deadlines.unwatch(id);
  }

  /** Offers a run again whose process was lost, where its deployment says so. False where it has to end. */
  #offerAgain(id: FlowRunId, row: RunRow, reason: string): boolean {
    const at = this.#parts.now();
    const lost = offeredAgain(row, this.#parts.store.spec(id), reason, at);
    if (lost === null) return false;
    const decision = this.#decide(row, lost.state, CLAIM_POLICY, NOTHING_DEMANDED, at);
    if (decision.written) this.#write(id, row, decision, { lease: null, returned: lost.returned });
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
      const decision = this.#decide(row, next, policies[kind], reservation, now());
      if (decision.written) {
        this.#write(id, row, decision, {});
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
    const decision = this.#decide(row, stateAfterDeadline("late", state), LATE_POLICY, reservation, now());
    if (decision.written) this.#write(id, row, decision, {});
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
    const decision = this.#decide(row, state, FLOW_RUN_POLICY, NOTHING_DEMANDED, now());
    if (decision.written) this.#write(id, row, decision, {});
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
   * A process without a run channel showed itself alive. The first sign arms the deadline; from then on silence ends the
   * run. One with a channel is watched by the channel. False when there is no such run.
   */
  heartbeat(id: FlowRunId, occurredAt: EpochMs): boolean {
    const { store, deadlines, heartbeats, now } = this.#parts;
    const row = store.run(id);
    if (!row) return false;
    const kind = deadlines.kindOf(id);
    this.showAlive(id);
    // A process that waits or cancels goes on beating, but only one that runs is to be watched from here on.
    if (kind === "beating" || (kind === null && row.record.state?.type === "RUNNING")) {
      heartbeats.note(id, occurredAt);
      deadlines.renew(id, "beating", now(), heartbeats.termMs(id));
    }
    return true;
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

  /** A process opened its run channel: its run is watched from here on. Answers its last batch that is stored. */
  openSession(id: FlowRunId, session: string): number {
    const { store, deadlines, now, heartbeatMs } = this.#parts;
    const row = store.run(id);
    if (!row) return 0;
    const kind = deadlines.kindOf(id);
    if (kind === "alive") this.showAlive(id);
    else if (!isTerminal(row.record.state?.type) && (kind === null || kind === "beating" || kind === "polled")) {
      deadlines.watch(id, "alive", (now() + SPANS.missedHeartbeats * heartbeatMs) as EpochMs);
    }
    return this.#parts.reports.acked(id, session);
  }

  /**
   * A process with a run channel showed itself alive in a way that no socket remembers. It costs one row in a term at
   * most: without it, an object that lost its memory twice would take a living run for lost.
   */
  showAlive(id: FlowRunId): void {
    const { deadlines, now, heartbeatMs } = this.#parts;
    if (deadlines.kindOf(id) === "alive") {
      deadlines.renew(id, "alive", now(), SPANS.missedHeartbeats * heartbeatMs);
    }
  }

  update(id: FlowRunId, patch: FlowRunUpdate): { seq: number } | null {
    const { store } = this.#parts;
    const row = store.run(id);
    const spec = store.spec(id);
    if (!row || !spec) return null;
    store.updateSpec(id, {
      ...spec,
      name: patch.name ?? spec.name,
      flowVersion: patch.flow_version === undefined ? spec.flowVersion : patch.flow_version,
      parameters: patch.parameters ?? spec.parameters,
      tags: patch.tags ?? spec.tags,
      jobVariables: patch.job_variables === undefined ? spec.jobVariables : patch.job_variables,
    });
    this.#touch(id, {
      ...row,
      record: {
        ...row.record,
        policy: patch.empirical_policy ?? row.record.policy,
        infrastructurePid:
          patch.infrastructure_pid === undefined ? row.record.infrastructurePid : patch.infrastructure_pid,
      },
    });
    return { seq: this.#parts.sequence.current };
  }

  addLabels(id: FlowRunId, labels: Labels): boolean {
    const { store } = this.#parts;
    const row = store.run(id);
    const spec = store.spec(id);
    if (!row || !spec) return false;
    const next = { ...spec, labels: { ...spec.labels, ...labels } };
    store.updateSpec(id, next);
    if (row.record.state?.type === "SCHEDULED" && TTL_LABEL in labels) {
      const deadline = stateDeadline(row, () => timeToLiveMs(next.labels));
      if (deadline !== null) this.#parts.deadlines.watch(id, deadline.kind, deadline.dueAt);
    }
    this.#touch(id, row);
    return true;
  }

  /** The row as it was; null when there is no such run. */
  remove(id: FlowRunId): RunRow | null {
    const { store, copier, deadlines, reports } = this.#parts;
    const row = store.run(id);
    if (!row) return null;
    store.deleteRun(id, row);
    deadlines.unwatch(id);
    copier.forget(id);
    reports.forget(id);
    return row;
  }

  #decide(row: RunRow, to: StateCreate, policy: Policy, reservation: Reservation, now: EpochMs): Decision {
    return decide(
      policy,
      { from: row.record.state, to },
      { now, run: row.record, reservation, mayHaveTwoProcesses: row.lease === null && row.returned.length > 0 },
      { stateId: this.#parts.ids.state(now) },
    );
  }

  #write(
    id: FlowRunId,
    row: RunRow,
    decision: Decision,
    changes: Partial<Pick<RunRow, "lease" | "claims" | "returned">>,
  ): void {
    const { store, copier, performer, deadlines, heartbeats, reports, sequence, now, heartbeatMs } = this.#parts;
    const written = decision.written;
    if (!written) return;
    const seq = sequence.next();
    const at = now();
    const type = written.state.type;
    const ended = isTerminal(type);
    const inHand = isInHand(written.state, written.run.policy);
    // From RUNNING on, the run's own process holds the lease that its worker held until then.
    const isNew = isTerminal(row.record.state?.type) && !ended;
    const isTakenUp = row.lease?.holder.startsWith(SESSION_PREFIX) ?? false;
    const lease = row.lease && type === "RUNNING" && !isTakenUp ? { ...row.lease, holder: "process" } : row.lease;
    const dueSince = dueTimeOf(written.state) ?? row.dueSince;
    const waits = dueSince === undefined || dueSince === written.run.expectedStartTime ? {} : { dueSince };
    const { dueSince: _, ...known } = row;
    store.appendJournal(seq, id, written.state);
    store.putRun(id, {
      ...known,
      ...waits,
      lease: inHand ? lease : null,
      // Who runs a finished run again has it tried as often as the first time.
      ...(isNew ? { returned: [] } : {}),
      ...changes,
      record: written.run,
      version: seq,
      updatedAt: at,
      states: [...row.states, seq],
    });
    if (ended) reports.forget(id);
    heartbeats.forget(id);
    const isWatched = inHand && (lease !== null || deadlines.kindOf(id) === "alive");
    const isBeating = inHand && deadlines.kindOf(id) === "beating";
    const isPolled = type === "PENDING" && deadlines.kindOf(id) === "polled";
    const deadline = stateDeadline({ record: written.run, ...waits }, () => timeToLiveMs(store.spec(id)?.labels));
    // While a process is watched, that is looked at often enough for the deadline of the state as well; beats are too
    // far apart for that, and a state with a deadline of its own needs no other.
    if (deadline !== null && !isWatched) deadlines.watch(id, deadline.kind, deadline.dueAt);
    else if (!isWatched) {
      if (!isBeating && !isPolled) deadlines.unwatch(id);
    } else if (lease !== null && (type === "RUNNING" || type === "CANCELLING") && deadlines.kindOf(id) !== "alive") {
      // The claim is confirmed, or there is nothing left to confirm: from here on heartbeats count.
      deadlines.watch(id, "alive", (at + SPANS.missedHeartbeats * heartbeatMs) as EpochMs);
    }
    copier.markRun(id, seq, ended, changes.lease && type === "PENDING" ? SPANS.claimCopyDelayMs : 0);
    performer.add(id, seq, written.effects, row.claims);
    if (ended && isAwaited(store.spec(id))) performer.addEnd(id, seq);
  }

  /** Marks a change that is not a state. */
  #touch(id: FlowRunId, row: RunRow): void {
    const { store, copier, sequence, now } = this.#parts;
    const seq = sequence.next();
    store.appendJournal(seq, id, null);
    store.putRun(id, { ...row, version: seq, updatedAt: now(), states: [...row.states, seq] });
    copier.markRun(id, seq, false, 0);
  }
}

function specOf(input: NewFlowRun, at: EpochMs): RunSpec {
  const { request } = input;
  return {
    name: input.name,
    flowId: request.flow_id,
    deploymentId: request.deployment_id ?? null,
    deploymentVersion: input.deploymentVersion,
    flowVersion: request.flow_version ?? null,
    parameters: request.parameters,
    context: request.context,
    tags: request.tags,
    labels: request.labels,
    idempotencyKey: request.idempotency_key ?? null,
    parentTaskRunId: request.parent_task_run_id ?? null,
    infrastructureDocumentId: request.infrastructure_document_id ?? null,
    jobVariables: request.job_variables ?? null,
    createdBy: input.createdBy,
    autoScheduled: input.autoScheduled,
    placement: input.placement,
    createdAt: at,
  };
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

function systemState(type: StateCreate["type"], name: string | null, message: string): StateCreate {
  return { type, name, message, data: null, state_details: NO_DETAILS };
}
