/** Flow runs in a control plane: made by the API, reported over the run channel. */
import { type ApiClient, RunChannel, type RunControl } from "../../client/index.ts";
import type { ArtifactCreate } from "../../protocol/artifacts.ts";
import { RERUN_STATE } from "../../protocol/flow-run-retry.ts";
import {
  createFlowRun,
  type FlowRun,
  filterFlowRuns,
  type JsonObject,
  type Labels,
  updateFlowRunLabels,
} from "../../protocol/flow-runs.ts";
import { createFlow } from "../../protocol/flows.ts";
import type { FlowRunId, TaskRunId, Uuid } from "../../protocol/ids.ts";
import { LIMITS } from "../../protocol/limits.ts";
import type { LogCreate } from "../../protocol/logs.ts";
import type { TaskReport } from "../../protocol/run-channel.ts";
import { withoutSecrets } from "../../protocol/secret-parameters.ts";
import { NO_DETAILS, type OrchestrationResult, type StateCreate, type StateType } from "../../protocol/states.ts";
import { createTaskRun, filterTaskRuns, type TaskRun } from "../../protocol/task-runs.ts";
import type { KnownTask } from "../results/run-memory.ts";
import {
  ENDED_FOR_GOOD,
  type FlowRunRequest,
  LOST_WITH_PARENT,
  type RunBackend,
  type RunIdentity,
  type RunSession,
  type StopRequest,
  type SubflowTask,
} from "./backend.ts";
import { echo } from "./echo.ts";
import { flushBeforeEnd } from "./flush-before-end.ts";
import { storeArtifact } from "./store-artifact.ts";

/** Before user code has run, an unreachable control plane is told of soon. */
const START_PATIENCE_MS = 3_000;
/** In the middle of a run it is waited for: a restart must not fail the flow. */
const REQUEST_PATIENCE_MS = 600_000;

export class ServerBackend implements RunBackend {
  readonly #client: ApiClient;

  constructor(client: ApiClient) {
    this.#client = client;
  }

  async createFlowRun(request: FlowRunRequest): Promise<RunSession> {
    const patience = { idempotent: true, patienceMs: START_PATIENCE_MS };
    const flow = await this.#client.call(createFlow, { body: { name: request.flowName } }, patience);
    const parentId = request.parent === null ? null : await openSubflowTask(this.#client, request.parent);
    const earlier = parentId !== null && request.parent?.mayHaveRun ? await this.#takeUpChild(parentId, request) : null;
    if (earlier !== null) return earlier;
    const run = await this.#client.call(
      createFlowRun,
      {
        body: {
          flow_id: flow.id,
          state: { type: "PENDING" },
          flow_version: request.flowVersion,
          ...(request.runName === null ? {} : { name: request.runName }),
          // This process has them; the run only shows them.
          parameters: withoutSecrets(request.parameters, request.secretParameters ?? new Set()),
          empirical_policy: request.policy,
          tags: [...request.tags],
          ...(parentId === null ? {} : { parent_task_run_id: parentId }),
          // Makes the call safe to repeat when its answer is lost.
          idempotency_key: crypto.randomUUID(),
        },
      },
      patience,
    );
    return await openServerSession(this.#client, run.id, null, { parameters: request.parameters });
  }

  /** The last child of a task run; null when there is none, or when it failed or was cancelled. */
  async #takeUpChild(parentId: TaskRunId, { parameters }: FlowRunRequest): Promise<RunSession | null> {
    const body = { flow_runs: { parent_task_run_id: { any_: [parentId] } }, sort: "ID_DESC" as const, limit: 1 };
    const patience = { idempotent: true, patienceMs: REQUEST_PATIENCE_MS };
    const [found] = await this.#client.call(filterFlowRuns, { body }, patience);
    if (found === undefined || isEndedForGood(found.state_type)) return null;
    const session = await openServerSession(this.#client, found.id, null, { parameters });
    const state = session.document.state_type;
    if (isEndedForGood(state)) {
      await session.close();
      return null;
    }
    // Whatever it was in the middle of is gone; what begins now is another attempt.
    if (state === "RUNNING" || state === "PAUSED" || state === "SCHEDULED") {
      const details = { ...NO_DETAILS, transition_id: crypto.randomUUID() as Uuid };
      await session.propose({
        type: "CRASHED",
        name: null,
        message: LOST_WITH_PARENT,
        data: null,
        state_details: details,
      });
    }
    return session;
  }
}

function isEndedForGood(type: StateType | null): boolean {
  return type !== null && ENDED_FOR_GOOD.includes(type);
}

/** Makes the task run that stands for a child run, or finds the one of an earlier attempt; answers its id. */
export async function openSubflowTask(client: ApiClient, task: SubflowTask): Promise<TaskRunId> {
  const { id } = await client.call(
    createTaskRun,
    {
      body: {
        id: task.id,
        flow_run_id: task.flowRunId,
        name: task.name,
        task_key: task.taskKey,
        dynamic_key: task.dynamicKey,
        task_inputs: Object.fromEntries(Object.entries(task.inputs).map(([name, all]) => [name, [...all]])),
        state: { type: "PENDING" },
      },
    },
    { idempotent: true, patienceMs: REQUEST_PATIENCE_MS },
  );
  return id;
}

export interface SessionOptions {
  /** Null: by requests only. */
  readonly webSocket?: null | undefined;
  /** Those that the flow was called with in this process, where its owner may have secret ones hidden. */
  readonly parameters?: JsonObject;
  /** See `RunChannelOptions`. */
  readonly onTerm?: ((leftMs: number) => void) | undefined;
}

/** Opens the channel of a run that exists. Throws when its owner refuses this process or nobody answers. */
export async function openServerSession(
  client: ApiClient,
  flowRunId: FlowRunId,
  generation: number | null,
  { webSocket, parameters, onTerm }: SessionOptions,
): Promise<ServerSession> {
  const early: StopRequest[] = [];
  let listener = (request: StopRequest): void => void early.push(request);
  const channel = new RunChannel({
    client,
    flowRunId,
    generation,
    ...(webSocket === undefined ? {} : { webSocket }),
    ...(onTerm === undefined ? {} : { onTerm }),
    onControl: (control: RunControl) => listener(control),
    onFailure: (error) => listener({ action: "lost", error }),
    onConnection: (change, reason) => {
      if (change === "lost")
        echo("warn", "sluice", `The control plane is away (${reason}). The run goes on and tells it later.`);
      else echo("warn", "sluice", "The control plane is back.");
    },
  });
  const run = await channel.open();
  return new ServerSession(client, channel, { ...run, parameters: parameters ?? run.parameters }, (hears) => {
    listener = hears;
    for (const request of early) hears(request);
  });
}

export class ServerSession implements RunSession {
  readonly run: RunIdentity;
  /** The run as its owner had it when the channel was opened. */
  readonly document: FlowRun;
  readonly client: ApiClient;
  readonly #channel: RunChannel;
  readonly #listen: (listener: (request: StopRequest) => void) => void;
  readonly #forget: () => void;

  constructor(
    client: ApiClient,
    channel: RunChannel,
    document: FlowRun,
    listen: (listener: (request: StopRequest) => void) => void,
  ) {
    this.client = client;
    this.#channel = channel;
    this.#listen = listen;
    this.#forget = flushBeforeEnd(() => this.flush());
    this.document = document;
    this.run = {
      id: document.id,
      name: document.name,
      flowId: document.flow_id,
      flowVersion: document.flow_version,
      deploymentId: document.deployment_id,
      deploymentVersion: document.deployment_version,
      scheduledStartTime: document.expected_start_time ?? document.created,
      jobVariables: document.job_variables ?? {},
      parentTaskRunId: document.parent_task_run_id,
      parameters: document.parameters,
      labels: document.labels,
      tags: document.tags,
      runCount: document.run_count,
    };
  }

  propose(state: StateCreate): Promise<OrchestrationResult> {
    return this.#channel.propose(state);
  }

  report(task: TaskReport): void {
    this.#channel.reportTask(task);
  }

  log(line: LogCreate): void {
    this.#channel.log(line);
  }

  async addLabels(labels: Labels): Promise<void> {
    const patience = { idempotent: true, patienceMs: REQUEST_PATIENCE_MS };
    await this.client.call(updateFlowRunLabels, { params: { id: this.run.id }, body: labels }, patience);
  }

  createArtifact(artifact: ArtifactCreate): Promise<(data: unknown) => Promise<void>> {
    return storeArtifact(this.client, artifact);
  }

  async knownTasks(): Promise<KnownTask[]> {
    const found: KnownTask[] = [];
    const flow_runs = { id: { any_: [this.run.id] } };
    for (;;) {
      const page = await this.client.call(
        filterTaskRuns,
        { body: { flow_runs, limit: LIMITS.pageRows, offset: found.length, sort: "ID_DESC" } },
        { idempotent: true, patienceMs: REQUEST_PATIENCE_MS },
      );
      found.push(...page.map(knownTask));
      if (page.length < LIMITS.pageRows) return found;
    }
  }

  ready(): Promise<void> | null {
    return this.#channel.ready();
  }

  flush(): Promise<void> {
    return this.#channel.flush();
  }

  onStop(listener: (request: StopRequest) => void): void {
    this.#listen(listener);
  }

  async close(): Promise<void> {
    try {
      await this.#channel.close();
    } finally {
      this.#forget();
    }
  }
}

function knownTask({ id, task_key: taskKey, dynamic_key: dynamicKey, state }: TaskRun): KnownTask {
  const data = state?.data;
  const hasResult = typeof data === "object" && data !== null && "storage_key" in data;
  const isRerun = state?.type === "PENDING" && state.name === RERUN_STATE;
  return { id, taskKey, dynamicKey, hasResult: hasResult && state?.type === "COMPLETED", isRerun };
}
