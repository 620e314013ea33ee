/**
 * The synchronous heart of an object that owns flow runs: facts → decision → rows. Every method runs inside one
 * transaction and awaits nothing (I3); what must follow is marked here and done by the copier and the performer.
 */
import { decide } from "#machine/decide";
import { isInHand } from "#machine/occupancy";
import { CLAIM_POLICY } from "#machine/policies/claim";
import { FLOW_RUN_POLICY } from "#machine/policies/flow-run";
import { FORCED_POLICY } from "#machine/policies/forced";
import type { Decision, FlowRunRecord, Lease, Policy, Reservation } from "#machine/rule";
import type { FlowRunInputCreate } from "#protocol/flow-run-inputs";
import { FlowRunPolicy, type FlowRunUpdate, type Labels } from "#protocol/flow-runs";
import type { FlowRunId, TaskRunId } from "#protocol/ids";
import { LIMITS, SPANS } from "#protocol/limits";
import type { LogCreate } from "#protocol/logs";
import type { TaskReport } from "#protocol/run-channel";
import {
  defaultStateName,
  isTerminal,
  NO_DETAILS,
  type OrchestrationResult,
  type State,
  type StateCreate,
} from "#protocol/states";
import { type TaskRunCreate, TaskRunPolicy } from "#protocol/task-runs";
import { type EpochMs, toWireTime } from "#protocol/time";
import type { RunTicket } from "#protocol/worker-channel";
import type { Copier } from "./copier.ts";
import type { Deadlines } from "./deadlines.ts";
import type { NewFlowRun } from "./flow-run-owner.ts";
import type { PartitionIds } from "./partition.ts";
import type { Performer } from "./perform.ts";
import { NOTHING_DEMANDED } from "./reserve.ts";
import type { RunRow, RunSpec, RunStore, TaskRow } from "./storage/run-store.ts";
import { applyTaskReport } from "./task-run-record.ts";

/** Numbers are taken in blocks, so that a restart never hands one out twice although few are written down. */
const SEQ_BLOCK = 1_000;
const ERROR_LEVEL = 40;

export interface RecorderParts {
  readonly store: RunStore;
  readonly ids: PartitionIds;
  readonly copier: Copier;
  readonly performer: Performer;
  readonly deadlines: Deadlines;
  readonly now: () => EpochMs;
  readonly heartbeatMs: number;
}

export class RunRecorder {
  readonly #parts: RecorderParts;
  /** What the open channels have stored and how much log their runs have; found again in the log when lost. */
  readonly #sessions = new Map<FlowRunId, { readonly session: string; readonly acked: number }>();
  readonly #logBytes = new Map<FlowRunId, number>();
  /** Journal entries that only say "task runs of this run changed", until they are copied. */
  #taskMarks: number[] = [];
  #seq: number;
  #reserved: number;
  #watermark: number;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
    this.#seq = parts.store.lastSeq();
    this.#reserved = this.#seq;
    this.#watermark = parts.store.mark("copied");
  }

  get seq(): number {
    return this.#seq;
  }

  get watermark(): number {
    return this.#watermark;
  }

  /** Writes what can wait for the next commit: the block of numbers in use and, now and then, the watermark. */
  beforeCommit(force = false): void {
    const { store, copier, performer } = this.#parts;
    if (this.#seq > this.#reserved) {
      this.#reserved = this.#seq + SEQ_BLOCK;
      store.setMark("seq", this.#reserved);
    }
    const done = Math.min(copier.watermark(this.#seq), performer.watermark(this.#seq));
    if (done - this.#watermark >= (force ? 1 : SEQ_BLOCK / 10)) {
      this.#watermark = done;
      store.setMark("copied", done);
      this.#dropTaskMarks(done);
    }
  }

  /** Marks of task runs that an earlier life of the object left: they go when the watermark has passed them. */
  adoptTaskMarks(seqs: readonly number[]): void {
    this.#taskMarks.push(...seqs);
  }

  #dropTaskMarks(watermark: number): void {
    const passed = this.#taskMarks.filter((seq) => seq <= watermark);
    if (passed.length === 0) return;
    this.#parts.store.deleteMarks(passed);
    this.#taskMarks = this.#taskMarks.filter((seq) => seq > watermark);
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
    return { created: true, seq: this.#seq };
  }

  /** Proposes a state. Null when there is no such run. */
  propose(
    id: FlowRunId,
    proposal: { readonly state: StateCreate; readonly force: boolean },
    reservation: Reservation,
  ): { result: OrchestrationResult; written: boolean } | null {
    const row = this.#parts.store.run(id);
    if (!row) return null;
    const policy = proposal.force ? FORCED_POLICY : FLOW_RUN_POLICY;
    const decision = this.#decide(row, proposal.state, policy, reservation, this.#parts.now());
    if (decision.written) this.#write(id, row, decision, {});
    return { result: decision.result, written: decision.written !== null };
  }

  /** Claims a waiting run for a worker; see FlowRunOwner.claim. */
  claim(id: FlowRunId, worker: { readonly name: string }): RunTicket | null {
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
    const decision = this.#decide(row, pending, FLOW_RUN_POLICY, NOTHING_DEMANDED, at);
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
   * Gives back a claim that was not confirmed: the run waits again, later each time; after a bounded number of
   * claims it ends Crashed with the reason of each.
   */
  giveBack(id: FlowRunId, generation: number, reason: string): void {
    const { store, now, deadlines } = this.#parts;
    const row = store.run(id);
    if (row?.record.state?.type !== "PENDING" || row.lease?.generation !== generation) {
      if (deadlines.kindOf(id) === "claim") deadlines.unwatch(id);
      return;
    }
    const at = now();
    const returned = [...row.returned, reason];
    const exhausted = returned.length >= LIMITS.claimAttempts;
    const scheduled = toWireTime((at + 1_000 * 2 ** (returned.length - 1)) as EpochMs);
    const state: StateCreate = exhausted
      ? systemState("CRASHED", null, `No worker started this run. ${returned.join(" ")}`)
      : {
          ...systemState("SCHEDULED", null, `${reason} The run waits for a worker again.`),
          state_details: { ...NO_DETAILS, scheduled_time: scheduled },
        };
    const decision = this.#decide(row, state, CLAIM_POLICY, NOTHING_DEMANDED, at);
    if (decision.written) this.#write(id, row, decision, { lease: null, returned });
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
    // What was to be cancelled is gone with its process.
    const outcome = row.record.state?.type === "CANCELLING" ? "CANCELLED" : "CRASHED";
    const decision = this.#decide(row, systemState(outcome, null, reason), CLAIM_POLICY, NOTHING_DEMANDED, now());
    if (decision.written) this.#write(id, row, decision, { lease: null });
    else deadlines.unwatch(id);
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

  /** A process opened its run channel: its run is watched from here on. Answers its last batch that is stored. */
  openSession(id: FlowRunId, session: string): number {
    const { store, deadlines, now, heartbeatMs } = this.#parts;
    const row = store.run(id);
    if (!row) return 0;
    if (!isTerminal(row.record.state?.type) && deadlines.kindOf(id) === null) {
      deadlines.watch(id, "alive", (now() + SPANS.missedHeartbeats * heartbeatMs) as EpochMs);
    }
    return this.#sessionOf(id, session).acked;
  }

  /** Stores one numbered batch of a session; one that is stored already changes nothing. */
  storeBatch(
    id: FlowRunId,
    session: string,
    n: number,
    tasks: readonly TaskReport[],
    logs: readonly LogCreate[],
  ): void {
    const known = this.#sessionOf(id, session);
    if (n <= known.acked) return;
    this.#storeTasks(id, tasks);
    this.#storeLogs(id, { session, batch: n }, logs);
    this.#sessions.set(id, { session, acked: n });
  }

  /** Makes a task run that a client asks for by itself; see FlowRunOwner.createTask. */
  createTask(id: FlowRunId, request: TaskRunCreate, taskRunId: TaskRunId): { row: TaskRow; created: boolean } | null {
    const { store, now, ids } = this.#parts;
    if (!store.run(id)) return null;
    const known = store.task(id, request.task_key, request.dynamic_key);
    if (known) return { row: known, created: false };
    const at = now();
    const state = request.state ?? systemState("PENDING", null, null);
    const report: TaskReport = {
      id: taskRunId,
      name: request.name ?? `${request.task_key}-${request.dynamic_key}`,
      task_key: request.task_key,
      dynamic_key: request.dynamic_key,
      task_version: request.task_version ?? null,
      cache_key: request.cache_key ?? null,
      empirical_policy: request.empirical_policy ?? TaskRunPolicy.parse({}),
      tags: request.tags ?? [],
      labels: request.labels ?? {},
      task_inputs: request.task_inputs ?? {},
      run_count: 0,
      flow_run_run_count: 0,
      states: [
        { ...state, id: ids.state(at), name: state.name ?? defaultStateName(state.type), timestamp: toWireTime(at) },
      ],
    };
    const row = applyTaskReport(null, id, report, ++this.#seq, at);
    store.putTask(id, row);
    this.#parts.copier.markTask(id, request.task_key, request.dynamic_key, row.version, true);
    return { row, created: true };
  }

  /** Records task runs that a client without a run channel tells of. */
  recordTasks(id: FlowRunId, reports: readonly TaskReport[]): boolean {
    if (!this.#parts.store.run(id)) return false;
    this.#storeTasks(id, reports);
    // Found again after a restart by this mark: nothing watches a run whose process has no channel.
    this.#parts.store.appendJournal(++this.#seq, id, null);
    this.#taskMarks.push(this.#seq);
    return true;
  }

  appendLogs(id: FlowRunId, logs: readonly LogCreate[]): boolean {
    if (!this.#parts.store.run(id)) return false;
    this.#storeLogs(id, { session: null, batch: 0 }, logs);
    return true;
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
    return { seq: this.#seq };
  }

  addLabels(id: FlowRunId, labels: Labels): boolean {
    const { store } = this.#parts;
    const row = store.run(id);
    const spec = store.spec(id);
    if (!row || !spec) return false;
    store.updateSpec(id, { ...spec, labels: { ...spec.labels, ...labels } });
    this.#touch(id, row);
    return true;
  }

  putInput(id: FlowRunId, input: FlowRunInputCreate): "stored" | "unknown run" | "key taken" {
    const { store, ids, now } = this.#parts;
    if (!store.run(id)) return "unknown run";
    if (store.input(id, input.key)) return "key taken";
    const at = now();
    // Numbered, so that inputs of one millisecond stay in the order in which they came.
    const inputId = ids.numbered(at, ++this.#seq, 0);
    const stored = toWireTime(at);
    store.putInput({
      id: inputId,
      created: stored,
      updated: stored,
      flow_run_id: id,
      key: input.key,
      value: input.value,
      sender: input.sender ?? null,
    });
    return "stored";
  }

  /** The task run that stands for a child run takes over the child's state, under the child state's own id. */
  mirrorState(id: FlowRunId, taskRunId: TaskRunId, childId: FlowRunId, state: State): void {
    const { store, copier, now } = this.#parts;
    const row = store.taskById(id, taskRunId);
    if (!row) return;
    const mirrored: State = { ...state, state_details: { ...state.state_details, child_flow_run_id: childId } };
    const version = ++this.#seq;
    const after = applyTaskReport(row, id, { ...row.task, states: [mirrored] }, version, now());
    store.putTask(id, after);
    copier.markTask(id, row.task.task_key, row.task.dynamic_key, version, isTerminal(after.task.state_type));
  }

  remove(id: FlowRunId): RunRow | null {
    const { store, copier, deadlines } = this.#parts;
    const row = store.run(id);
    if (!row) return null;
    store.deleteRun(id, row);
    deadlines.unwatch(id);
    copier.forget(id);
    this.#forget(id);
    return row;
  }

  /** A transaction was undone: what was noted during it is read from the rows again. */
  forgetMemory(): void {
    this.#parts.store.forgetParsed();
    this.#sessions.clear();
    this.#logBytes.clear();
  }

  /** A run that ended is hardly heard of again: what memory holds of it goes. */
  #forget(id: FlowRunId): void {
    this.#sessions.delete(id);
    this.#logBytes.delete(id);
  }

  #decide(row: RunRow, to: StateCreate, policy: Policy, reservation: Reservation, now: EpochMs): Decision {
    return decide(
      policy,
      { from: row.record.state, to },
      { now, run: row.record, reservation },
      { stateId: this.#parts.ids.state(now) },
    );
  }

  #write(
    id: FlowRunId,
    row: RunRow,
    decision: Decision,
    changes: Partial<Pick<RunRow, "lease" | "claims" | "returned">>,
  ): void {
    const { store, copier, performer, deadlines, now, heartbeatMs } = this.#parts;
    const written = decision.written;
    if (!written) return;
    const seq = ++this.#seq;
    const at = now();
    const type = written.state.type;
    const ended = isTerminal(type);
    const inHand = isInHand(written.state, written.run.policy);
    // From RUNNING on, the run's own process holds the lease that its worker held until then.
    const lease = row.lease && type === "RUNNING" ? { ...row.lease, holder: "process" } : row.lease;
    store.appendJournal(seq, id, written.state);
    store.putRun(id, {
      ...row,
      lease: inHand ? lease : null,
      ...changes,
      record: written.run,
      version: seq,
      updatedAt: at,
      states: [...row.states, seq],
    });
    if (ended) this.#forget(id);
    if (!inHand) deadlines.unwatch(id);
    else if (lease !== null && (type === "RUNNING" || type === "CANCELLING") && deadlines.kindOf(id) !== "alive") {
      // The claim is confirmed, or there is nothing left to confirm: from here on heartbeats count.
      deadlines.watch(id, "alive", (at + SPANS.missedHeartbeats * heartbeatMs) as EpochMs);
    }
    copier.markRun(id, seq, ended, changes.lease && type === "PENDING" ? SPANS.claimCopyDelayMs : 0);
    performer.add(id, seq, written.effects, row.claims);
  }

  /** Marks a change that is not a state. */
  #touch(id: FlowRunId, row: RunRow): void {
    const { store, copier, now } = this.#parts;
    const seq = ++this.#seq;
    store.appendJournal(seq, id, null);
    store.putRun(id, { ...row, version: seq, updatedAt: now(), states: [...row.states, seq] });
    copier.markRun(id, seq, false, 0);
  }

  #storeTasks(id: FlowRunId, reports: readonly TaskReport[]): void {
    const { store, copier, now } = this.#parts;
    for (const report of reports) {
      const version = ++this.#seq;
      const before = store.task(id, report.task_key, report.dynamic_key);
      const row = applyTaskReport(before, id, report, version, now());
      store.putTask(id, row);
      // The first copy comes soon: by it a task run is found under its own id.
      const isSoon = before === null || isTerminal(row.task.state_type);
      copier.markTask(id, report.task_key, report.dynamic_key, version, isSoon);
    }
  }

  /** Above the limit of a run's log only errors are kept, after one marker. */
  #storeLogs(id: FlowRunId, from: { session: string | null; batch: number }, logs: readonly LogCreate[]): void {
    const { store, now } = this.#parts;
    if (logs.length === 0) return;
    const before = this.#logBytes.get(id) ?? store.logBytes(id);
    const kept: LogCreate[] = [];
    let total = before;
    for (const log of logs) {
      const wasFull = total >= LIMITS.logBytesPerRun;
      if (wasFull && log.level < ERROR_LEVEL) continue;
      kept.push(log);
      total += log.message.length;
      if (!wasFull && total >= LIMITS.logBytesPerRun) kept.push(logLimitMarker(log));
    }
    if (kept.length > 0) {
      store.insertLogs(id, { seq: ++this.#seq, arrivedAt: now(), ...from, lines: kept }, total - before);
    }
    this.#logBytes.set(id, total);
  }

  /**
   * How far a session is stored. After the object lost its memory this is the last batch that left log lines: task
   * reports may be stored twice without harm, since their states have ids; lines have none.
   */
  #sessionOf(id: FlowRunId, session: string): { session: string; acked: number } {
    const known = this.#sessions.get(id);
    if (known?.session === session) return known;
    const found = { session, acked: this.#parts.store.lastLogBatch(id, session) };
    this.#sessions.set(id, found);
    return found;
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
  };
}

function systemState(type: StateCreate["type"], name: string | null, message: string | null): StateCreate {
  return { type, name, message, data: null, state_details: NO_DETAILS };
}

function logLimitMarker(last: LogCreate): LogCreate {
  return {
    ...last,
    level: 30,
    name: "sluice",
    message: `This run has logged ${LIMITS.logBytesPerRun / 1024 / 1024} MB; from here on only errors are kept.`,
  };
}
