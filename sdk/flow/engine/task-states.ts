/** The states of one task run, decided by the machine's policy for tasks: the same with and without a server. */
import { decideTask } from "../../../durable-objects/machine/decide-task.ts";
import { TASK_RUN_POLICY } from "../../../durable-objects/machine/policies/task-run.ts";
import type { TaskPolicy, TaskRunRecord } from "../../../durable-objects/machine/rule.ts";
import type { FlowRunId, TaskRunId } from "../../protocol/ids.ts";
import { NO_DETAILS, type State, type StateType } from "../../protocol/states.ts";
import type { TaskRunPolicy } from "../../protocol/task-runs.ts";
import type { EpochMs } from "../../protocol/time.ts";
import { newStateId } from "./new-id.ts";

const FORCED: TaskPolicy = { name: "forced-task", rules: [] };

/** What is proposed for a task run; the machine may make something else of it. */
export interface ProposedTaskState {
  readonly type: StateType;
  readonly name?: string;
  readonly message?: string;
  /** What is told of its result. */
  readonly data?: unknown;
  /** False: a failure that no retry would mend. */
  readonly retriable?: boolean;
  /** Whether it is entered whatever the state before was. */
  readonly isForced?: boolean;
}

export class TaskStates {
  #record: TaskRunRecord;
  #unreported: State[] = [];

  constructor(taskRunId: TaskRunId, flowRunId: FlowRunId | null, policy: TaskRunPolicy, runCount = 0) {
    this.#record = {
      taskRunId,
      flowRunId,
      policy,
      state: null,
      runCount,
      totalRunTimeMs: 0,
      startTime: null,
      endTime: null,
      expectedStartTime: null,
      nextScheduledStartTime: null,
    };
  }

  get current(): State | null {
    return this.#record.state;
  }

  get runCount(): number {
    return this.#record.runCount;
  }

  /** Proposes a state and answers the one that the task run is then in, which may be another or the one before. */
  propose(proposed: ProposedTaskState, now: EpochMs): State {
    const run = this.#record;
    const to = {
      type: proposed.type,
      name: proposed.name ?? null,
      message: proposed.message ?? null,
      data: proposed.data ?? null,
      state_details: proposed.retriable === false ? { ...NO_DETAILS, retriable: false } : NO_DETAILS,
    };
    const { result, written } = decideTask(
      proposed.isForced ? FORCED : TASK_RUN_POLICY,
      { from: run.state, to },
      { now, run, random: Math.random() },
      { stateId: newStateId(now, run.flowRunId) },
    );
    if (written) {
      this.#record = written.run;
      this.#unreported.push(written.state);
      return written.state;
    }
    if (run.state === null) throw new Error(`A task run cannot begin as ${proposed.type}: ${result.status}.`);
    return run.state;
  }

  /** States since the last time that this was asked. */
  takeUnreported(): State[] {
    const states = this.#unreported;
    this.#unreported = [];
    return states;
  }
}
