/**
 * Task runs of flow runs whose states are proposed to the owner: made, moved, renamed and deleted over REST. Synchronous,
 * inside the object's transactions (I3); what follows is stored with the row and performed after the commit.
 */
import type { FlowRunId, TaskRunId } from "#protocol/ids";
import { isTerminal, type OrchestrationResult, type State } from "#protocol/states";
import type { TaskRunCreate, TaskRunUpdate } from "#protocol/task-runs";
import { type EpochMs, toWireTime } from "#protocol/time";
import type { Copier } from "./copier.ts";
import { newTask, proposeTask, type TaskContext, type TaskProposal } from "./owned-task.ts";
import type { PartitionIds } from "./partition.ts";
import type { Performer } from "./perform.ts";
import type { ReportRecorder } from "./report-recorder.ts";
import type { TaskRow } from "./storage/run-rows.ts";
import type { RunStore } from "./storage/run-store.ts";
import { drainOutbox } from "./task-outbox.ts";

export interface TaskRecorderParts {
  readonly env: Env;
  readonly store: RunStore;
  readonly ids: PartitionIds;
  readonly copier: Copier;
  readonly performer: Performer;
  readonly reports: ReportRecorder;
  readonly now: () => EpochMs;
  /** Runs a synchronous job in a transaction. */
  commit<T>(job: () => T): Promise<T>;
}

export class TaskRecorder {
  readonly #parts: TaskRecorderParts;

  constructor(parts: TaskRecorderParts) {
    this.#parts = parts;
  }

  /** See FlowRunOwner.createTask. */
  create(
    id: FlowRunId,
    request: TaskRunCreate,
    taskRunId: TaskRunId,
  ): { readonly row: TaskRow; readonly outcome: "created" | "known" | "id taken" } | null {
    const { store } = this.#parts;
    const run = store.run(id);
    const spec = store.spec(id);
    if (!run || !spec) return null;
    const known = store.task(id, request.task_key, request.dynamic_key);
    if (known) return { row: known, outcome: "known" };
    const taken = request.id ? store.taskById(id, taskRunId) : null;
    if (taken) return { row: taken, outcome: "id taken" };
    const labels = { "prefect.flow.id": spec.flowId, ...spec.labels, "prefect.flow-run.id": id, ...request.labels };
    const row = newTask({ ...request, labels }, taskRunId, id, this.#context(id));
    this.#write(id, row, true);
    return { row, outcome: "created" };
  }

  /** Proposes a state of a task run. Null when there is no such task run. */
  propose(
    id: FlowRunId,
    taskRunId: TaskRunId,
    proposal: TaskProposal,
  ): { result: OrchestrationResult; written: boolean } | null {
    const before = this.#parts.store.taskById(id, taskRunId);
    if (!before) return null;
    const { result, row } = proposeTask(before, proposal, this.#context(id));
    if (row) this.#write(id, row, isTerminal(row.task.state_type));
    return { result, written: row !== null };
  }

  update(id: FlowRunId, taskRunId: TaskRunId, patch: TaskRunUpdate): boolean {
    const before = this.#parts.store.taskById(id, taskRunId);
    if (!before) return false;
    const { version, now } = this.#context(id);
    const task = { ...before.task, name: patch.name ?? before.task.name, updated: toWireTime(now) };
    this.#write(id, { ...before, version, task }, true);
    return true;
  }

  remove(id: FlowRunId, taskRunId: TaskRunId): TaskRow | null {
    const row = this.#parts.store.taskById(id, taskRunId);
    if (row) this.#parts.store.deleteTask(id, row);
    return row;
  }

  /** A state of one of the run's task runs, by its id. */
  stateOf(id: FlowRunId, stateId: string): State | null {
    for (const { states } of this.#parts.store.tasks(id)) {
      const found = states.find((state) => state.id === stateId);
      if (found) return found;
    }
    return null;
  }

  /** Performs again what an earlier life of the object left undone of a task run. */
  resume(id: FlowRunId, { task, version, effects }: TaskRow): void {
    if (effects) this.#perform(id, version, task.task_key, task.dynamic_key);
  }

  #context(id: FlowRunId): TaskContext {
    const { store, ids, reports, now } = this.#parts;
    const at = now();
    const record = store.run(id)?.record;
    const flowRun = record ? { id, state: record.state, runCount: record.runCount } : null;
    return { now: at, flowRun, stateId: ids.state(at), version: reports.mark(id) };
  }

  #write(id: FlowRunId, row: TaskRow, isSoon: boolean): void {
    const { store, copier } = this.#parts;
    const { task_key, dynamic_key } = row.task;
    store.putTask(id, row);
    copier.markTask(id, task_key, dynamic_key, row.version, isSoon);
    if (row.effects) this.#perform(id, row.version, task_key, dynamic_key);
  }

  #perform(id: FlowRunId, seq: number, taskKey: string, dynamicKey: string): void {
    const { env, store, performer, commit } = this.#parts;
    performer.addWork(id, seq, `What follows from task run ${taskKey} ${dynamicKey}`, () =>
      drainOutbox(env, {
        read: () => store.task(id, taskKey, dynamicKey),
        done: (count) =>
          commit(() => {
            const row = store.task(id, taskKey, dynamicKey);
            if (row === null) return;
            const { effects = [], ...rest } = row;
            const left = effects.slice(count);
            store.putTask(id, left.length > 0 ? { ...rest, effects: left } : rest);
          }),
      }),
    );
  }
}
