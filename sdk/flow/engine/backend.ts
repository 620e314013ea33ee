/** Where flow runs live: in a control plane, or in this process when there is none. */
import type { ApiClient } from "../../client/api-client.ts";
import type { ArtifactCreate } from "../../protocol/artifacts.ts";
import type { FlowRunPolicy, JsonObject, Labels } from "../../protocol/flow-runs.ts";
import type { DeploymentId, FlowId, FlowRunId, TaskRunId } from "../../protocol/ids.ts";
import type { LogCreate } from "../../protocol/logs.ts";
import type { TaskReport } from "../../protocol/run-channel.ts";
import type { OrchestrationResult, State, StateCreate, StateType } from "../../protocol/states.ts";
import type { TaskInput } from "../../protocol/task-runs.ts";
import type { WireTime } from "../../protocol/time.ts";
import type { TaskContext } from "../context.ts";
import type { KnownTask } from "../results/run-memory.ts";
import type { HandOver } from "./budget.ts";

/** What is said of a child whose process went with that of its parent. */
export const LOST_WITH_PARENT = "The process that ran it was lost with its parent; it is continued.";

/** States of a child that another attempt of its parent does not continue: it gets a new child. */
export const ENDED_FOR_GOOD: readonly StateType[] = ["FAILED", "CANCELLED"];

/** A flow run to be made for a flow that was called in this process. */
export interface FlowRunRequest {
  readonly flowName: string;
  readonly flowVersion: string | null;
  /** Null: one is made up. */
  readonly runName: string | null;
  readonly parameters: JsonObject;
  /** Names of those that nobody outside of this process is to see. Default none. */
  readonly secretParameters?: ReadonlySet<string>;
  readonly policy: FlowRunPolicy;
  readonly tags: readonly string[];
  /** The task run that stands for it in the run of the flow that called it; null where nobody's run did. */
  readonly parent: SubflowTask | null;
}

/** The task run that stands for a child run in its parent. */
export interface SubflowTask {
  readonly id: TaskRunId;
  readonly flowRunId: FlowRunId;
  readonly name: string;
  readonly taskKey: string;
  readonly dynamicKey: string;
  /** The call's name, by which its result is found; null for one that has none. */
  readonly callKey: string | null;
  /** Whether an earlier attempt may have made the child: one that did not end is continued. */
  readonly mayHaveRun: boolean;
  readonly inputs: Readonly<Record<string, readonly TaskInput[]>>;
}

/** What is known of a run when this process takes it up. */
export interface RunIdentity {
  readonly id: FlowRunId;
  readonly name: string;
  readonly flowId: FlowId | null;
  readonly flowVersion: string | null;
  readonly deploymentId: DeploymentId | null;
  readonly deploymentVersion: string | null;
  /** When it was due, or made. */
  readonly scheduledStartTime: WireTime;
  readonly jobVariables: JsonObject;
  /** The task run that stands for it in its parent. */
  readonly parentTaskRunId: TaskRunId | null;
  readonly parameters: JsonObject;
  readonly labels: Labels;
  readonly tags: readonly string[];
  /** How often the run has been RUNNING before. */
  readonly runCount: number;
}

/** Somebody wants the run to stop, or has ended it; or its owner does not listen to this process any more. */
export type StopRequest =
  | { readonly action: "cancel"; readonly state: State | null }
  | { readonly action: "suspend" | "ended"; readonly state: State }
  /** This process has no time left: another one goes on. */
  | ({ readonly action: "hand over" } & HandOver)
  | { readonly action: "lost"; readonly error: Error };

/** One run's way to its owner, for as long as this process executes it. */
export interface RunSession {
  readonly run: RunIdentity;
  /** How the run's code reaches the control plane, where that is not as the process is configured. */
  readonly client?: ApiClient;
  /** Proposes a state; everything reported before is there first. Throws when the owner is lost for good. */
  propose(state: StateCreate): Promise<OrchestrationResult>;
  /** States that a task run went through since the last report. Never waits; see {@link RunSession.ready}. */
  report(task: TaskReport): void;
  log(line: LogCreate): void;
  /** Adds labels to the run. */
  addLabels(labels: Labels): Promise<void>;
  /** Answers what changes its data; null where it is only kept in memory. */
  createArtifact(artifact: ArtifactCreate): Promise<((data: unknown) => Promise<void>) | null>;
  /** Task runs of earlier attempts, asked for before the first one of this process. */
  knownTasks(): Promise<readonly KnownTask[]>;
  /** Waits while too much is on its way; null when there is no need to. */
  ready(): Promise<void> | null;
  /** Resolves when everything that was told so far is stored. Throws when that cannot happen any more. */
  flush(): Promise<void>;
  /** Names the one that hears of wishes to stop. A wish that came before is told at once. */
  onStop(listener: (request: StopRequest) => void): void;
  /** Called around each attempt of a task with its code, in place of it. For tests; absent elsewhere. */
  readonly around?: (context: TaskContext, code: () => Promise<unknown>) => Promise<unknown>;
  /** Resolves when everything is stored and nothing of the session keeps the process alive. */
  close(): Promise<void>;
}

export interface RunBackend {
  /**
   * Makes a run in the state PENDING, or takes up the child that an earlier attempt of its parent had made and that did
   * not come to its end. Throws, before any user code has run, when that is not possible.
   */
  createFlowRun(request: FlowRunRequest): Promise<RunSession>;
}
