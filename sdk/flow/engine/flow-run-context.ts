/** What one attempt of a flow knows of its run. */
import type { ApiClient } from "../../client/api-client.ts";
import type { FlowRun } from "../../protocol/flow-runs.ts";
import type { FlowRunId, TaskRunId } from "../../protocol/ids.ts";
import type { FlowAncestry, FlowContext, RunDeployment } from "../context.ts";
import type { FlowDefinition } from "../flow.ts";
import { logger } from "../logger.ts";
import type { RunSession } from "./backend.ts";
import { flowRunApiUrl, flowRunUiUrl } from "./run-urls.ts";

/** The run that the attempt is one of. */
export interface AttemptedRun {
  readonly flow: FlowDefinition;
  readonly session: RunSession;
  /** Of the code that called the flow, in a run of this process; null for a run that came from elsewhere. */
  readonly caller: FlowContext | null;
}

/** What is seldom asked for is only made out when it is. */
export class FlowRunContext implements FlowContext {
  readonly flowRunId: FlowContext["flowRunId"];
  readonly flowRunName: string;
  readonly flowName: string;
  readonly parameters: FlowContext["parameters"];
  readonly tags: readonly string[];
  readonly deploymentId: FlowContext["deploymentId"];
  readonly runCount: number;
  readonly signal: AbortSignal;
  readonly logger = logger();
  readonly #attempted: AttemptedRun;

  constructor(attempted: AttemptedRun, runCount: number, signal: AbortSignal) {
    const { run } = attempted.session;
    this.flowRunId = run.id;
    this.flowRunName = run.name;
    this.flowName = attempted.flow.name;
    this.parameters = run.parameters;
    this.tags = run.tags;
    this.deploymentId = run.deploymentId;
    this.runCount = runCount;
    this.signal = signal;
    this.#attempted = attempted;
  }

  get flowVersion(): string | null {
    return this.#attempted.session.run.flowVersion ?? this.#attempted.flow.version;
  }

  get deploymentVersion(): string | null {
    return this.#attempted.session.run.deploymentVersion;
  }

  get scheduledStartTime(): Date {
    return new Date(this.#attempted.session.run.scheduledStartTime);
  }

  get jobVariables(): FlowContext["jobVariables"] {
    return this.#attempted.session.run.jobVariables;
  }

  get parentTaskRunId(): TaskRunId | null {
    return this.#attempted.session.run.parentTaskRunId;
  }

  get apiUrl(): string | null {
    return flowRunApiUrl(this.#attempted.session.client ?? null, this.flowRunId);
  }

  get uiUrl(): string | null {
    return flowRunUiUrl(this.#attempted.session.client ?? null, this.flowRunId);
  }

  async ancestry(): Promise<FlowAncestry> {
    const { caller, session } = this.#attempted;
    if (caller !== null) {
      const { rootFlowRunId } = await caller.ancestry();
      return { parentFlowRunId: caller.flowRunId, parentDeploymentId: caller.deploymentId, rootFlowRunId };
    }
    if (this.parentTaskRunId === null || session.client === undefined) {
      return { parentFlowRunId: null, parentDeploymentId: null, rootFlowRunId: this.flowRunId };
    }
    return await ancestryInControlPlane(session.client, this.flowRunId, this.parentTaskRunId);
  }

  async deployment(): Promise<RunDeployment | null> {
    const { client } = this.#attempted.session;
    if (this.deploymentId === null || client === undefined) return null;
    const { readDeployment } = await import("../../protocol/deployments.ts");
    const found = await client.call(readDeployment, { params: { id: this.deploymentId } });
    return { id: found.id, name: found.name, version: found.version, parameters: found.parameters };
  }
}

/** Goes up from task run to flow run until one has no parent. */
async function ancestryInControlPlane(
  client: ApiClient,
  flowRunId: FlowRunId,
  parentTaskRunId: TaskRunId,
): Promise<FlowAncestry> {
  const [{ readTaskRun }, { readFlowRun }] = await Promise.all([
    import("../../protocol/task-runs.ts"),
    import("../../protocol/flow-runs.ts"),
  ]);
  const parentFlow = async (id: TaskRunId): Promise<FlowRun | null> => {
    const { flow_run_id: flowRun } = await client.call(readTaskRun, { params: { id } });
    return flowRun === null ? null : await client.call(readFlowRun, { params: { id: flowRun } });
  };
  const parent = await parentFlow(parentTaskRunId);
  let root = parent;
  for (let above = parent; above !== null; ) {
    root = above;
    above = above.parent_task_run_id === null ? null : await parentFlow(above.parent_task_run_id);
  }
  return {
    parentFlowRunId: parent?.id ?? null,
    parentDeploymentId: parent?.deployment_id ?? null,
    rootFlowRunId: root?.id ?? flowRunId,
  };
}
