/** Flow runs without a control plane: in memory, decided by the same machine and the same rules. */

import { decide } from "../../../durable-objects/machine/decide.ts";
import { ownRunPolicy } from "../../../durable-objects/machine/policies/flow-run.ts";
import type { FlowRunRecord } from "../../../durable-objects/machine/rule.ts";
import type { ArtifactCreate } from "../../protocol/artifacts.ts";
import type { LogCreate } from "../../protocol/logs.ts";
import type { TaskReport } from "../../protocol/run-channel.ts";
import { runName } from "../../protocol/run-name.ts";
import { NO_DETAILS, type OrchestrationResult, type State, type StateCreate } from "../../protocol/states.ts";
import { toWireTime } from "../../protocol/time.ts";
import { type Clock, SYSTEM_CLOCK } from "../clock.ts";
import type { KnownTask } from "../results/run-memory.ts";
import {
  ENDED_FOR_GOOD,
  type FlowRunRequest,
  type RunBackend,
  type RunIdentity,
  type RunSession,
  type StopRequest,
  type SubflowTask,
} from "./backend.ts";
import { newFlowRunId, newStateId } from "./new-id.ts";

/** What was recorded of a run. */
export interface RecordedRun {
  readonly run: RunIdentity;
  readonly request: FlowRunRequest;
  readonly states: readonly State[];
  /** By id, with all states of each, in the order of their first report. */
  readonly tasks: ReadonlyMap<string, TaskReport>;
  readonly logs: readonly LogCreate[];
  readonly artifacts: readonly ArtifactCreate[];
  /** Asks the run to stop, as a control plane would. */
  stop(request: StopRequest): void;
}

export interface OfflineBackendOptions {
  readonly clock?: Clock;
  /** Whether task runs, logs and artifacts are kept. Default false: a long-lived program would gather them for ever. */
  readonly record?: boolean;
}

export class OfflineBackend implements RunBackend {
  /** Runs in the order in which they were made; empty unless they are recorded. */
  readonly runs: RecordedRun[] = [];
  readonly #options: OfflineBackendOptions;

  constructor(options: OfflineBackendOptions = {}) {
    this.#options = options;
  }

  async createFlowRun(request: FlowRunRequest): Promise<RunSession> {
    return this.#open(request, request.parent?.mayHaveRun ? this.#child(request.parent) : null);
  }

  /** The child that an earlier attempt made and that did not come to its end. Only recorded runs are found again. */
  #child({ flowRunId, taskKey, dynamicKey }: SubflowTask): RecordedRun | null {
    const found = this.runs.findLast(({ request: { parent } }) => {
      return parent?.flowRunId === flowRunId && parent.taskKey === taskKey && parent.dynamicKey === dynamicKey;
    });
    const state = found?.states.at(-1)?.type;
    return found === undefined || state === undefined || ENDED_FOR_GOOD.includes(state) ? null : found;
  }

  /** Offers a recorded run again, as a control plane does after a crash. */
  continueRun(run: RecordedRun): RunSession {
    return this.#open(run.request, run);
  }

  #open(request: FlowRunRequest, earlier: RecordedRun | null): RunSession {
    const { clock = SYSTEM_CLOCK, record = false } = this.#options;
    const session = new OfflineSession(request, clock, record, earlier);
    if (record) this.runs.push(session);
    return session;
  }
}

class OfflineSession implements RunSession, RecordedRun {
  readonly run: RunIdentity;
  readonly request: FlowRunRequest;
  readonly states: State[] = [];
  readonly tasks = new Map<string, TaskReport>();
  readonly logs: LogCreate[] = [];
  readonly artifacts: ArtifactCreate[] = [];
  readonly #clock: Clock;
  readonly #records: boolean;
  #record: FlowRunRecord;
  #listener: ((request: StopRequest) => void) | null = null;

  constructor(request: FlowRunRequest, clock: Clock, records: boolean, earlier: RecordedRun | null) {
    const id = earlier?.run.id ?? newFlowRunId(clock.now());
    const runCount = earlier === null ? 0 : earlier.run.runCount + countOfAttempts(earlier.states);
    this.request = request;
    this.#clock = clock;
    this.#records = records;
    this.run = {
      id,
      name: request.runName ?? randomName(),
      flowId: null,
      flowVersion: request.flowVersion,
      deploymentId: null,
      deploymentVersion: null,
      scheduledStartTime: earlier?.run.scheduledStartTime ?? toWireTime(clock.now()),
      jobVariables: {},
      parentTaskRunId: request.parent?.id ?? null,
      parameters: request.parameters,
      labels: {},
      tags: request.tags,
      runCount,
    };
    for (const [taskRunId, task] of earlier?.tasks ?? []) this.tasks.set(taskRunId, task);
    this.#record = {
      flowRunId: id,
      state: null,
      runCount,
      totalRunTimeMs: 0,
      startTime: null,
      endTime: null,
      expectedStartTime: null,
      nextScheduledStartTime: null,
      policy: request.policy,
      deploymentId: null,
      parentTaskRunId: null,
      infrastructurePid: null,
      pooled: false,
    };
    this.#decide({ type: "PENDING", name: null, message: null, data: null, state_details: NO_DETAILS });
  }

  async propose(state: StateCreate): Promise<OrchestrationResult> {
    return this.#decide(state);
  }

  report(task: TaskReport): void {
    if (!this.#records) return;
    const before = this.tasks.get(task.id);
    this.tasks.set(task.id, before ? { ...task, states: [...before.states, ...task.states] } : task);
  }

  log(line: LogCreate): void {
    if (this.#records) this.logs.push(line);
  }

  /** Nobody looks for a run of this process by its labels. */
  async addLabels(): Promise<void> {}

  async createArtifact(artifact: ArtifactCreate): Promise<(data: unknown) => Promise<void>> {
    const kept = { ...artifact };
    if (this.#records) this.artifacts.push(kept);
    return async (data) => {
      kept.data = data;
    };
  }

  async knownTasks(): Promise<KnownTask[]> {
    return [...this.tasks.values()].map(({ id, task_key: taskKey, dynamic_key: dynamicKey, states }) => {
      const state = states.at(-1);
      return { id, taskKey, dynamicKey, hasResult: state?.type === "COMPLETED" && state.data !== null, isRerun: false };
    });
  }

  ready(): null {
    return null;
  }

  async flush(): Promise<void> {}

  onStop(listener: (request: StopRequest) => void): void {
    this.#listener = listener;
  }

  stop(request: StopRequest): void {
    this.#listener?.(request);
  }

  async close(): Promise<void> {
    this.#listener = null;
  }

  #decide(to: StateCreate): OrchestrationResult {
    const now = this.#clock.now();
    const run = this.#record;
    const { result, written } = decide(
      ownRunPolicy(to),
      { from: run.state, to },
      { now, run, reservation: { kind: "granted", leaseId: null }, mayHaveTwoProcesses: false },
      { stateId: newStateId(now, run.flowRunId) },
    );
    if (written) {
      this.#record = written.run;
      this.states.push(written.state);
    }
    return result;
  }
}

function countOfAttempts(states: readonly State[]): number {
  return states.filter(({ type }) => type === "RUNNING").length;
}

function randomName(): string {
  const [first = 0, second = 0] = crypto.getRandomValues(new Uint16Array(2));
  return runName(first, second);
}
