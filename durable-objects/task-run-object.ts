/**
 * Owns the task runs outside a flow of one partition: background tasks, and tasks that are called by themselves. Decides
 * about proposed states, records what clients tell of by events, and settles the consequences (`task-settler.ts`).
 */
import { DurableObject } from "cloudflare:workers";
import { MAX_SHARDS, type TaskRunId } from "#protocol/ids";
import { LIMITS, SPANS } from "#protocol/limits";
import type { Log, LogCreate } from "#protocol/logs";
import type { TaskReport } from "#protocol/run-channel";
import { isTerminal, type OrchestrationResult, type State } from "#protocol/states";
import type { TaskRun, TaskRunCreate, TaskRunUpdate } from "#protocol/task-runs";
import { type EpochMs, fromWireTime, toWireTime } from "#protocol/time";
import { clock } from "./clock.ts";
import { withEstimates } from "./flow-run-document.ts";
import type { LogQuery } from "./flow-run-owner.ts";
import { GroupCommit } from "./group-commit.ts";
import { readLogs } from "./log-lines.ts";
import { newTask, proposeTask, type TaskContext, type TaskProposal } from "./owned-task.ts";
import { PartitionIds } from "./partition.ts";
import { retentionTerms } from "./retention-terms.ts";
import { LooseLogStore } from "./storage/loose-log-store.ts";
import { isUntouched, migrate } from "./storage/migrate.ts";
import type { TaskRow } from "./storage/run-rows.ts";
import { TASK_SCHEMA, TaskStore } from "./storage/task-store.ts";
import { deleteTaskTraces } from "./task-outbox.ts";
import { newTaskStateId, type TaskRunOwner } from "./task-run-owner.ts";
import { applyTaskReport } from "./task-run-record.ts";
import { TaskSettler } from "./task-settler.ts";

/** Python's level of errors. */
const ERROR_LEVEL = 40;
/** The first of the sixteen shard numbers in the ids of lines that no flow run owns. */
const LOOSE_SHARDS = MAX_SHARDS - 16;

interface Parts {
  readonly store: TaskStore;
  readonly logs: LooseLogStore;
  readonly commit: GroupCommit;
  readonly settler: TaskSettler;
}

export class TaskRunObject extends DurableObject<Env> implements TaskRunOwner {
  /** Null until the first task run is stored: an object that is asked for unknown ids writes nothing. */
  #parts: Parts | null = null;
  #alarmAt: number | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    if (isUntouched(ctx.storage)) return;
    const { store, settler } = this.#open();
    for (const id of store.unsettled()) settler.changed(id, 0);
    this.#arm();
  }

  async create(id: TaskRunId, request: TaskRunCreate): Promise<{ task: TaskRun; created: boolean }> {
    const { store, commit, settler } = this.#parts ?? this.#open();
    const outcome = await commit.run(() => {
      const known = store.task(id);
      if (known) return { row: known, created: false };
      const row = newTask(request, id, null, contextOf(null));
      store.put(row);
      return { row, created: true };
    });
    if (outcome.created) {
      settler.changed(id, SPANS.taskCopyDelayMs);
      this.#arm();
      await settler.copyNow(id);
    }
    return { task: withEstimates(outcome.row.task, clock.now()), created: outcome.created };
  }

  async read(id: TaskRunId): Promise<{ task: TaskRun; states: State[] } | null> {
    const row = this.#parts?.store.task(id);
    return row ? { task: withEstimates(row.task, clock.now()), states: [...row.states] } : null;
  }

  async setState(
    id: TaskRunId,
    proposal: TaskProposal,
  ): Promise<{ result: OrchestrationResult; written: boolean } | null> {
    const parts = this.#parts;
    if (!parts) return null;
    const outcome = await parts.commit.run(() => {
      const before = parts.store.task(id);
      if (!before) return null;
      const decided = proposeTask(before, proposal, contextOf(before));
      if (decided.row) parts.store.put(decided.row);
      return decided;
    });
    if (outcome?.row) this.#changed(outcome.row);
    return outcome && { result: outcome.result, written: outcome.row !== null };
  }

  async update(id: TaskRunId, patch: TaskRunUpdate): Promise<boolean> {
    const parts = this.#parts;
    if (!parts) return false;
    const row = await parts.commit.run(() => {
      const before = parts.store.task(id);
      if (!before) return null;
      const { version, now } = contextOf(before);
      const task = { ...before.task, name: patch.name ?? before.task.name, updated: toWireTime(now) };
      const after: TaskRow = { ...before, version, task };
      parts.store.put(after);
      return after;
    });
    if (row) this.#changed(row);
    return row !== null;
  }

  async remove(id: TaskRunId): Promise<TaskRun | null> {
    const parts = this.#parts;
    if (!parts) return null;
    const row = await parts.commit.run(() => {
      const before = parts.store.task(id);
      if (before) {
        parts.store.delete(id);
        parts.logs.delete(id);
      }
      return before;
    });
    if (row === null) return null;
    await deleteTaskTraces(this.env, row);
    return row.task;
  }

  async removeEnded(ids: readonly TaskRunId[], endedBefore: EpochMs): Promise<TaskRunId[]> {
    const parts = this.#parts;
    if (!parts) return [...ids];
    return parts.commit.run(() => {
      return ids.filter((id) => {
        const task = parts.store.task(id)?.task;
        if (!task) return true;
        if (!isTerminal(task.state_type)) return false;
        const endedAt = task.end_time ?? task.state?.timestamp ?? null;
        if (endedAt !== null && fromWireTime(endedAt) >= endedBefore) return false;
        parts.store.delete(id);
        parts.logs.delete(id);
        return true;
      });
    });
  }

  async appendLogs(subject: string, lines: readonly LogCreate[]): Promise<void> {
    const { logs, commit } = this.#parts ?? this.#open();
    await commit.run(() => {
      const before = logs.bytes(subject);
      // Above the limit of a run's log only errors are kept.
      const kept = before < LIMITS.logBytesPerRun ? lines : lines.filter(({ level }) => level >= ERROR_LEVEL);
      if (kept.length === 0) return;
      const bytes = kept.reduce((total, { message }) => total + message.length, 0);
      logs.insert(subject, kept, bytes, clock.now());
    });
    this.#arm();
  }

  async logs(subject: string, query: LogQuery): Promise<Log[]> {
    return this.#parts ? readLogs(this.#parts.logs.chunks(subject), this.#lineIds(), query) : [];
  }

  async record(reports: readonly TaskReport[]): Promise<void> {
    const { store, commit } = this.#parts ?? this.#open();
    const rows = await commit.run(() =>
      reports.map((report) => {
        const before = store.task(report.id);
        const { version, now } = contextOf(before);
        const row = applyTaskReport(before, null, report, version, now);
        store.put(row);
        return row;
      }),
    );
    for (const row of rows) this.#changed(row);
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    const logsEndAt = this.#logsEndAt();
    if (this.#parts && logsEndAt !== null && logsEndAt <= clock.now()) {
      const { commit, logs } = this.#parts;
      const termMs = retentionTerms(this.env).runMs ?? 0;
      await commit.run(() => logs.deleteOwnerless((clock.now() - termMs) as EpochMs));
    }
    this.#arm();
  }

  /** The first copy, by which a task run is found, and the last one are soon; in between they may be one. */
  #changed(row: TaskRow): void {
    const isSoon = row.version === 1 || isTerminal(row.task.state_type);
    this.#parts?.settler.changed(row.task.id, isSoon ? SPANS.taskCopyDelayMs : SPANS.runningTaskCopyDelayMs);
    this.#arm();
  }

  #open(): Parts {
    migrate(this.ctx.storage, TASK_SCHEMA);
    const store = new TaskStore(this.ctx.storage);
    const nothing = () => undefined;
    const commit = new GroupCommit(this.ctx.storage, nothing, nothing);
    const settler = new TaskSettler({ env: this.env, store, commit: (job) => commit.run(job) });
    this.#parts = { store, logs: new LooseLogStore(this.ctx.storage), commit, settler };
    return this.#parts;
  }

  /** Ids of lines that no other object gives out: flow runs' partitions do not reach these shard numbers. */
  #lineIds(): PartitionIds {
    const [window = "0", digit = "0"] = (this.ctx.id.name ?? "").split("-");
    return new PartitionIds(`${Number(window) || 0}-${LOOSE_SHARDS + Number.parseInt(digit, 16)}`);
  }

  /**
   * While something is unsettled an alarm stands, in case the object goes away: its constructor then goes on. Another one
   * stands at the end of the time for which lines are kept that no task run takes with it.
   */
  #arm(): void {
    let next = this.#logsEndAt();
    if (this.#parts?.settler.isIdle === false) {
      const safetyAt = clock.now() + SPANS.safetyAlarmMs;
      next = next === null ? safetyAt : Math.min(next, safetyAt);
    }
    if (next === null || (this.#alarmAt !== null && this.#alarmAt <= next)) return;
    this.#alarmAt = next;
    void this.ctx.storage.setAlarm(next);
  }

  #logsEndAt(): number | null {
    const since = this.#parts?.logs.since ?? null;
    if (since === null) return null;
    const { runMs } = retentionTerms(this.env);
    return runMs === null ? null : since + runMs;
  }
}

function contextOf(before: TaskRow | null): TaskContext {
  const now = clock.now();
  return { now, flowRun: null, stateId: newTaskStateId(now), version: (before?.version ?? 0) + 1 };
}
