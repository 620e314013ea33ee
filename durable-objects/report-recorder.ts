/**
 * Records what is told of a run besides its states: task runs, log lines and inputs. Synchronous, inside the same
 * transactions as the decisions (I3), and numbered by the same sequence.
 */
import type { FlowRunInputCreate } from "#protocol/flow-run-inputs";
import { RERUN_STATE } from "#protocol/flow-run-retry";
import type { FlowRunId, TaskRunId } from "#protocol/ids";
import { LIMITS } from "#protocol/limits";
import type { LogCreate } from "#protocol/logs";
import type { TaskReport } from "#protocol/run-channel";
import { defaultStateName, isTerminal, NO_DETAILS, type State } from "#protocol/states";
import { type EpochMs, toWireTime } from "#protocol/time";
import type { Copier } from "./copier.ts";
import type { LogStream } from "./log-stream.ts";
import type { PartitionIds } from "./partition.ts";
import { withDependents } from "./rerun-tasks.ts";
import type { RunStream } from "./run-stream.ts";
import type { Sequence } from "./sequence.ts";
import type { TaskRow } from "./storage/run-rows.ts";
import type { RunStore } from "./storage/run-store.ts";
import { applyTaskReport } from "./task-run-record.ts";
import type { TaskRunStep } from "./task-run-step.ts";

/** Python's level of errors: they are kept even when a run has logged too much. */
const ERROR_LEVEL = 40;

export interface ReportParts {
  readonly store: RunStore;
  readonly ids: PartitionIds;
  readonly copier: Copier;
  readonly logStream: LogStream;
  readonly runStream: RunStream;
  readonly sequence: Sequence;
  readonly now: () => EpochMs;
  /** Publishes the events of states that are stored. */
  readonly tellOfTasks: (steps: readonly TaskRunStep[]) => void;
}

export class ReportRecorder {
  readonly #parts: ReportParts;
  /** What the open channels have stored and how much log their runs have; found again in the log when lost. */
  readonly #sessions = new Map<FlowRunId, { readonly session: string; readonly acked: number }>();
  readonly #logBytes = new Map<FlowRunId, number>();
  /** Journal entries that only say "task runs of this run changed", until they are copied. */
  #marks: number[] = [];
  /** States of task runs that were stored in this turn and are told of after it. */
  #steps: TaskRunStep[] = [];

  constructor(parts: ReportParts) {
    this.#parts = parts;
  }

  /** The last batch of a process's session that is stored; 0 for none. */
  acked(id: FlowRunId, session: string): number {
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
    this.#storeTasks(id, tasks, false);
    this.#storeLogs(id, { session, batch: n }, logs);
    this.#sessions.set(id, { session, acked: n });
  }

  /** Records task runs that a client without a run channel tells of. */
  recordTasks(id: FlowRunId, reports: readonly TaskReport[]): boolean {
    if (!this.#parts.store.run(id)) return false;
    this.#storeTasks(id, reports, true);
    this.mark(id);
    return true;
  }

  /**
   * Notes that task runs of this run change, and answers the number of the change: they are found again after a restart
   * by this mark, since nothing watches a run whose process has no channel.
   */
  mark(id: FlowRunId): number {
    const seq = this.#parts.sequence.next();
    this.#parts.store.appendJournal(seq, id, null);
    this.#marks.push(seq);
    return seq;
  }

  appendLogs(id: FlowRunId, logs: readonly LogCreate[]): boolean {
    if (!this.#parts.store.run(id)) return false;
    this.#storeLogs(id, { session: null, batch: 0 }, logs);
    return true;
  }

  putInput(id: FlowRunId, input: FlowRunInputCreate): "stored" | "unknown run" | "key taken" {
    const { store, ids, now } = this.#parts;
    if (!store.run(id)) return "unknown run";
    if (store.input(id, input.key)) return "key taken";
    const at = now();
    // Numbered, so that inputs of one millisecond stay in the order in which they came.
    const inputId = ids.numbered(at, this.#parts.sequence.next(), 0);
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
    const version = this.#parts.sequence.next();
    // It may be mirrored twice; an attempt counts once.
    const startsAgain = state.type === "RUNNING" && !row.states.some((known) => known.id === state.id);
    const runCount = row.task.run_count + (startsAgain ? 1 : 0);
    const report = { ...row.task, run_count: runCount, states: [mirrored] };
    const after = applyTaskReport(row, id, report, version, now());
    store.putTask(id, after);
    copier.markTask(id, row.task.task_key, row.task.dynamic_key, version, isTerminal(after.task.state_type));
  }

  /** Marks a task run and those that depend on it to run again. False when there is no such task run. */
  rerunTasks(id: FlowRunId, from: TaskRunId): boolean {
    const { store, ids, copier, now, sequence } = this.#parts;
    const rows = store.tasks(id);
    const chosen = withDependents(
      rows.map(({ task }) => task),
      from,
    );
    if (!chosen) return false;
    const at = now();
    for (const row of rows.filter(({ task }) => chosen.has(task.id))) {
      const again: State = {
        id: ids.state(at),
        type: "PENDING",
        name: RERUN_STATE,
        timestamp: toWireTime(at),
        message: "Runs again by request.",
        data: null,
        state_details: NO_DETAILS,
      };
      const version = sequence.next();
      store.putTask(id, applyTaskReport(row, id, { ...row.task, states: [again] }, version, at));
      copier.markTask(id, row.task.task_key, row.task.dynamic_key, version, true);
    }
    return true;
  }

  /**
   * Ends the task runs of a cancelled run that have not ended. Answers the child runs that some of them stand for:
   * they are runs of their own, whose owners cancel them.
   */
  cancelTasks(id: FlowRunId): FlowRunId[] {
    const { store, ids, copier, now, sequence } = this.#parts;
    const children: FlowRunId[] = [];
    for (const row of store.tasks(id)) {
      const state = row.task.state;
      if (isTerminal(state?.type)) continue;
      const child = state?.state_details.child_flow_run_id ?? null;
      if (child !== null) {
        // The child's own end is mirrored here.
        children.push(child);
        continue;
      }
      const at = now();
      const cancelled: State = {
        id: ids.state(at),
        type: "CANCELLED",
        name: defaultStateName("CANCELLED"),
        timestamp: toWireTime(at),
        message: "The parent flow run was cancelled.",
        data: null,
        state_details: NO_DETAILS,
      };
      const version = sequence.next();
      store.putTask(id, applyTaskReport(row, id, { ...row.task, states: [cancelled] }, version, at));
      copier.markTask(id, row.task.task_key, row.task.dynamic_key, version, true);
    }
    return children;
  }

  /** The child runs that have not ended. */
  openChildren(id: FlowRunId): FlowRunId[] {
    return this.#parts.store
      .tasks(id)
      .filter(({ task }) => !isTerminal(task.state?.type))
      .flatMap(({ task }) => task.state?.state_details.child_flow_run_id ?? []);
  }

  /** Marks of task runs that an earlier life of the object left: they go when the watermark has passed them. */
  adoptMarks(seqs: readonly number[]): void {
    this.#marks.push(...seqs);
  }

  /** The watermark has passed these marks: they go. */
  dropMarks(watermark: number): void {
    const passed = this.#marks.filter((seq) => seq <= watermark);
    if (passed.length === 0) return;
    this.#parts.store.deleteMarks(passed);
    this.#marks = this.#marks.filter((seq) => seq > watermark);
  }

  /** A transaction was undone: what was noted during it is read from the rows again. */
  forgetMemory(): void {
    this.#sessions.clear();
    this.#logBytes.clear();
    this.#steps = [];
  }

  /** A run that ended is hardly heard of again: what memory holds of it goes. */
  forget(id: FlowRunId): void {
    this.#sessions.delete(id);
    this.#logBytes.delete(id);
  }

  /**
   * `isFoundById` asks for an early first copy, by which clients find a task run under its own id; it costs a row in D1
   * for each task that takes longer than that copy.
   */
  #storeTasks(id: FlowRunId, reports: readonly TaskReport[], isFoundById: boolean): void {
    const { store, copier, now } = this.#parts;
    for (const report of reports) {
      const version = this.#parts.sequence.next();
      const before = store.task(id, report.task_key, report.dynamic_key);
      const row = applyTaskReport(before, id, report, version, now());
      store.putTask(id, row);
      // Whoever has no run channel has told of it by events already.
      if (!isFoundById) this.#noteSteps(id, before, row);
      const isSoon = (isFoundById && before === null) || isTerminal(row.task.state_type);
      copier.markTask(id, report.task_key, report.dynamic_key, version, isSoon);
    }
  }

  #noteSteps(id: FlowRunId, before: TaskRow | null, { task, states }: TaskRow): void {
    const known = new Set(before?.states.map((state) => state.id));
    if (this.#steps.length === 0) setTimeout(() => this.#tellOfSteps(), 0);
    for (const [index, to] of states.entries()) {
      if (!known.has(to.id)) this.#steps.push({ id, task, from: states[index - 1] ?? null, to });
    }
  }

  /** After the turn: the transaction has succeeded, or {@link forgetMemory} was called. */
  #tellOfSteps(): void {
    const steps = this.#steps;
    this.#steps = [];
    if (steps.length > 0) this.#parts.tellOfTasks(steps);
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
      const seq = this.#parts.sequence.next();
      store.insertLogs(id, { seq, arrivedAt: now(), ...from, lines: kept }, total - before);
      this.#parts.logStream.note(id, seq);
      this.#parts.runStream.logs(id, seq);
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

function logLimitMarker(last: LogCreate): LogCreate {
  return {
    ...last,
    level: 30,
    name: "sluice",
    message: `This run has logged ${LIMITS.logBytesPerRun / 1024 / 1024} MB; from here on only errors are kept.`,
  };
}
