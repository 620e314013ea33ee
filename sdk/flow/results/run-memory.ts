/** What a flow run remembers of its earlier attempts, in this process or another one. */
import type { FlowRunId, TaskRunId } from "../../protocol/ids.ts";

/** A task run of an earlier attempt, as the owner of the flow run knows it. */
export interface KnownTask {
  readonly id: TaskRunId;
  readonly taskKey: string;
  readonly dynamicKey: string;
  /** It completed and left a result. */
  readonly hasResult: boolean;
  /** It is to run again although it had completed. */
  readonly isRerun: boolean;
}

export class RunMemory {
  readonly flowRunId: FlowRunId;
  /** Whether tasks that do not say persist their results. */
  readonly persists: boolean;
  #occurrences = new Map<string, number>();
  #isContinued: boolean;
  readonly #rerun = new Set<string>();
  readonly #known = new Map<string, KnownTask>();

  constructor(flowRunId: FlowRunId, persists: boolean, isContinued: boolean) {
    this.flowRunId = flowRunId;
    this.persists = persists;
    this.#isContinued = isContinued;
  }

  /** Whether there was an attempt before this one, whose results are looked for. */
  get isContinued(): boolean {
    return this.#isContinued;
  }

  beginAttempt(isFirstHere: boolean): void {
    this.#occurrences = new Map();
    if (!isFirstHere) this.#isContinued = true;
  }

  learn(tasks: readonly KnownTask[]): void {
    for (const task of tasks) this.#known.set(`${task.taskKey}/${task.dynamicKey}`, task);
  }

  known(taskKey: string, dynamicKey: string): KnownTask | null {
    return this.#known.get(`${taskKey}/${dynamicKey}`) ?? null;
  }

  /** Whether somebody wishes that the task run with this natural key, whose result is stored under `key`, run again. */
  takeRerun(taskKey: string, dynamicKey: string, key: string): boolean {
    if (this.#rerun.has(key) || !this.known(taskKey, dynamicKey)?.isRerun) return false;
    // Once is enough: what it makes now is good for the attempts that follow.
    this.#rerun.add(key);
    return true;
  }

  /** Numbers calls that cannot be told apart, from 0. */
  occurrence(call: string): number {
    const count = this.#occurrences.get(call) ?? 0;
    this.#occurrences.set(call, count + 1);
    return count;
  }
}
