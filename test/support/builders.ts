/** Builders for tests of the machine: each test names only what it is about. Everything happens at one instant. */
import { decide } from "#machine/decide";
import { decideOwnedTask } from "#machine/decide-owned-task";
import { decideTask } from "#machine/decide-task";
import type {
  Decision,
  Facts,
  FlowRunRecord,
  OwnedTaskDecision,
  OwnedTaskFacts,
  OwnedTaskPolicy,
  OwnedTaskRecord,
  OwnedTaskRule,
  Policy,
  Rule,
  RunRule,
  TaskDecision,
  TaskFacts,
  TaskPolicy,
  TaskRule,
  TaskRunRecord,
} from "#machine/rule";
import { FlowRunPolicy } from "#protocol/flow-runs";
import type { DeploymentId, FlowRunId, StateId, TaskRunId } from "#protocol/ids";
import { STATE_TYPES, State, StateCreate, type StateType } from "#protocol/states";
import { TaskRunPolicy } from "#protocol/task-runs";
import { type EpochMs, toWireTime, type WireTime } from "#protocol/time";

/** The instant at which unit tests happen: 2026-11-21T05:00:00Z. */
export const NOW = 1_795_237_200_000 as EpochMs;
/** The states a run may be found in; null is the run without one. */
export const ALL_FROM: readonly (StateType | null)[] = [null, ...STATE_TYPES];
export const FLOW_RUN_ID = "0193a000-0000-7000-8000-00000000f001" as FlowRunId;
export const TASK_RUN_ID = "0193a000-0000-7000-8000-00000000a001" as TaskRunId;
export const DEPLOYMENT_ID = "0193a000-0000-7000-8000-0000000de001" as DeploymentId;
export const LEASE_ID = "0193a000-0000-7000-8000-00000001ea5e";
export const TRANSITION_ID = "0193a000-0000-7000-8000-000000007a45";

/** What may be said about a state; `details` are wire names. */
export interface StateWishes {
  readonly name?: string;
  readonly message?: string;
  readonly data?: unknown;
  readonly timestamp?: WireTime;
  readonly details?: Record<string, unknown>;
}

/** The wire time `seconds` after {@link NOW}; negative for the past. */
export function inSeconds(seconds: number): WireTime {
  return toWireTime((NOW + seconds * 1000) as EpochMs);
}

/** A stored state, a minute old. */
export function aState(type: StateType, { details = {}, ...wishes }: StateWishes = {}): State {
  return State.parse({
    id: "0193a000-0000-7000-8000-000000005001",
    type,
    name: type.charAt(0) + type.slice(1).toLowerCase(),
    timestamp: inSeconds(-60),
    message: null,
    data: null,
    ...wishes,
    state_details: details,
  });
}

/** A proposed state. */
export function aProposal(
  type: StateType,
  { details = {}, ...wishes }: Omit<StateWishes, "timestamp"> = {},
): StateCreate {
  return StateCreate.parse({ type, ...wishes, state_details: details });
}

/** What may be said about a flow run; `policy` is completed with defaults. */
export type RunWishes = Partial<Omit<FlowRunRecord, "policy">> & { readonly policy?: Partial<FlowRunPolicy> };

/** A flow run of a pooled deployment, without a state. */
export function aRun({ policy = {}, ...wishes }: RunWishes = {}): FlowRunRecord {
  return {
    flowRunId: FLOW_RUN_ID,
    state: null,
    runCount: 0,
    totalRunTimeMs: 0,
    startTime: null,
    endTime: null,
    expectedStartTime: null,
    nextScheduledStartTime: null,
    deploymentId: DEPLOYMENT_ID,
    parentTaskRunId: null,
    infrastructurePid: null,
    pooled: true,
    ...wishes,
    policy: FlowRunPolicy.parse(policy),
  };
}

/** A task run of a flow, without a state. */
export function aTaskRun({
  policy = {},
  ...wishes
}: Partial<Omit<TaskRunRecord, "policy">> & { readonly policy?: Partial<TaskRunPolicy> } = {}): TaskRunRecord {
  return {
    taskRunId: TASK_RUN_ID,
    flowRunId: FLOW_RUN_ID,
    state: null,
    runCount: 0,
    totalRunTimeMs: 0,
    startTime: null,
    endTime: null,
    expectedStartTime: null,
    nextScheduledStartTime: null,
    ...wishes,
    policy: TaskRunPolicy.parse(policy),
  };
}

/** Facts at {@link NOW} with every slot granted. */
export function facts(wishes: Partial<Facts> = {}): Facts {
  return {
    now: NOW,
    run: aRun(),
    reservation: { kind: "granted", leaseId: null },
    mayHaveTwoProcesses: false,
    ...wishes,
  };
}

/** Facts about a task at {@link NOW}. */
export function taskFacts(wishes: Partial<TaskFacts> = {}): TaskFacts {
  return { now: NOW, run: aTaskRun(), random: 0.5, ...wishes };
}

/** A task run as its owner keeps it, without a state. */
export function anOwnedTask({
  flowRunRunCount = 0,
  ...wishes
}: Parameters<typeof aTaskRun>[0] & { readonly flowRunRunCount?: number } = {}): OwnedTaskRecord {
  return { ...aTaskRun(wishes), flowRunRunCount };
}

/** Facts at {@link NOW} about a task whose flow is running in its first attempt. */
export function ownedTaskFacts(wishes: Partial<OwnedTaskFacts> = {}): OwnedTaskFacts {
  const flowRun = { id: FLOW_RUN_ID, state: aState("RUNNING"), runCount: 1 };
  return { now: NOW, run: anOwnedTask(), random: 0.5, flowRun, cached: null, tagSlots: { kind: "granted" }, ...wishes };
}

let minted = 0;

/** A state id that no other state has. */
export function aStateId(): StateId {
  minted += 1;
  return `0193a000-0000-7000-9000-${minted.toString(16).padStart(12, "0")}` as StateId;
}

/** Proposes `to` about a run in `from` under one policy, or under one rule alone. */
export function propose(
  by: Policy | Rule | RunRule,
  from: State | null,
  to: StateCreate,
  known: Partial<Facts> = {},
): Decision {
  const policy: Policy = "rules" in by ? by : { name: by.name, rules: [by] };
  const all = facts(known);
  return decide(policy, { from, to }, { ...all, run: { ...all.run, state: from } }, { stateId: aStateId() });
}

/** As {@link propose}, about a task run. */
export function proposeTask(
  by: TaskPolicy | TaskRule | RunRule,
  from: State | null,
  to: StateCreate,
  known: Partial<TaskFacts> = {},
): TaskDecision {
  const policy: TaskPolicy = "rules" in by ? by : { name: by.name, rules: [by] };
  const all = taskFacts(known);
  return decideTask(policy, { from, to }, { ...all, run: { ...all.run, state: from } }, { stateId: aStateId() });
}

/** As {@link propose}, about a task run, to its owner. */
export function proposeOwnedTask(
  by: OwnedTaskPolicy | OwnedTaskRule,
  from: State | null,
  to: StateCreate,
  known: Partial<OwnedTaskFacts> = {},
): OwnedTaskDecision {
  const policy: OwnedTaskPolicy = "rules" in by ? by : { name: by.name, rules: [by] };
  const all = ownedTaskFacts(known);
  return decideOwnedTask(policy, { from, to }, { ...all, run: { ...all.run, state: from } }, { stateId: aStateId() });
}

/** A verdict in one word, or two when another state is written: `ACCEPT`, `REJECT Cancelled`, `KEEP`, `WAIT`, `ABORT`. */
export function verdict({ result, written }: Decision | TaskDecision | OwnedTaskDecision): string {
  if (result.status !== "REJECT") return result.status;
  return written === null ? "KEEP" : `REJECT ${written.state.name}`;
}

/** The transitions over all states that a rule does not simply let pass, as `FROM → TO: VERDICT`. */
export function objections(rule: Rule | RunRule, known: Partial<Facts> = {}): string[] {
  return everyTransition((from, to) => propose(rule, from, to, known));
}

/** As {@link objections}, of a rule for task runs. */
export function taskObjections(rule: TaskRule | RunRule, known: Partial<TaskFacts> = {}): string[] {
  return everyTransition((from, to) => proposeTask(rule, from, to, known));
}

/** As {@link objections}, of a rule for task runs whose owner decides. */
export function ownedTaskObjections(rule: OwnedTaskRule, known: Partial<OwnedTaskFacts> = {}): string[] {
  return everyTransition((from, to) => proposeOwnedTask(rule, from, to, known));
}

function everyTransition(
  ask: (from: State | null, to: StateCreate) => Decision | TaskDecision | OwnedTaskDecision,
): string[] {
  return ALL_FROM.flatMap((from) =>
    STATE_TYPES.map((to) => {
      const said = verdict(ask(from === null ? null : aState(from), aProposal(to)));
      return said === "ACCEPT" ? null : `${from} → ${to}: ${said}`;
    }),
  ).filter((line) => line !== null);
}
