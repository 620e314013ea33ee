/**
 * The synchronous heart of an object that owns flow runs: facts → decision → rows. Every method runs inside one
 * transaction and awaits nothing (I3); what must follow is marked here and done by the copier and the performer.
 */
import { FLOW_RUN_POLICY } from "#machine/policies/flow-run";
import { FORCED_POLICY } from "#machine/policies/forced";
import type { FlowRunRecord, Policy } from "#machine/rule";
import { TTL_LABEL } from "#protocol/flow-control";
import { type FlowRun, FlowRunPolicy, type FlowRunUpdate, type Labels } from "#protocol/flow-runs";
import type { FlowRunId } from "#protocol/ids";
import type { OrchestrationResult, StateCreate } from "#protocol/states";
import { type EpochMs, fromWireTime } from "#protocol/time";
import type { NewFlowRun } from "./flow-run-owner.ts";
import { type Asked, NOTHING_ASKED } from "./places.ts";
import { NOTHING_DEMANDED } from "./reserve.ts";
import type { RunClaims } from "./run-claims.ts";
import type { RunEndings } from "./run-endings.ts";
import type { RecorderParts, RunWriter } from "./run-writer.ts";
import { stateDeadline } from "./state-deadlines.ts";
import type { RunRow, RunSpec } from "./storage/run-rows.ts";
import { timeToLiveMs } from "./time-to-live.ts";

/** Changes after which the watermark is written: that many are copied twice after a crash, at most. */
const WATERMARK_STEP = 100;

export class RunRecorder {
  readonly #parts: RecorderParts;
  readonly #writer: RunWriter;
  readonly #claims: RunClaims;
  readonly #endings: RunEndings;
  #watermark: number;

  constructor(parts: RecorderParts, writer: RunWriter, claims: RunClaims, endings: RunEndings) {
    this.#parts = parts;
    this.#writer = writer;
    this.#claims = claims;
    this.#endings = endings;
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
    const decision = first && this.#writer.decide(row, first, FORCED_POLICY, NOTHING_DEMANDED, at);
    if (decision?.written) this.#writer.write(input.id, row, decision, {});
    else this.#writer.touch(input.id, { ...row, record: { ...record, expectedStartTime: at } });
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
    proposal: { readonly state: StateCreate; readonly force: boolean; readonly policy?: Policy },
    { reservation, claim }: Asked = NOTHING_ASKED,
  ): { result: OrchestrationResult; written: boolean } | null {
    const row = this.#parts.store.run(id);
    if (!row) return null;
    const { type, message } = proposal.state;
    // A worker tells of the end of a process that it had started.
    if (
      type === "CRASHED" &&
      this.#endings.offerAgain(id, row, message ?? "The process that ran this flow has ended.")
    ) {
      const { state = null } = this.#parts.store.run(id)?.record ?? {};
      const details = { type: "reject_details", reason: "The deployment has lost runs offered again." } as const;
      return { result: { status: "REJECT", state, details }, written: true };
    }
    const policy = proposal.force ? FORCED_POLICY : (proposal.policy ?? FLOW_RUN_POLICY);
    const decision = this.#writer.decide(row, proposal.state, policy, reservation, this.#parts.now());
    const isClaimed = claim !== null && decision.written?.state.type === "PENDING";
    if (decision.written) this.#writer.write(id, row, decision, isClaimed ? { claims: claim } : {});
    if (!proposal.force && proposal.state.type === "PENDING") this.#claims.watchPolled(id, row, decision);
    return { result: decision.result, written: decision.written !== null };
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
    this.#writer.touch(id, {
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
    this.#writer.touch(id, row);
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
