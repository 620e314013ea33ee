/**
 * The behaviour of every policy as one picture: from × to → verdict, in Markdown. It is written into this room's
 * README and compared in a test, so that a change of behaviour shows itself in review.
 */

import { FlowRunPolicy } from "#protocol/flow-runs";
import type { DeploymentId, FlowRunId, StateId, TaskRunId } from "#protocol/ids";
import {
  defaultStateName,
  NO_DETAILS,
  type OrchestrationResult,
  STATE_TYPES,
  type State,
  type StateCreate,
  type StateType,
} from "#protocol/states";
import { TaskRunPolicy } from "#protocol/task-runs";
import { type EpochMs, toWireTime } from "#protocol/time";
import { decide } from "./decide.ts";
import { decideOwnedTask } from "./decide-owned-task.ts";
import { decideTask } from "./decide-task.ts";
import { BACKGROUND_TASK_POLICY } from "./policies/background-task.ts";
import { CLAIM_POLICY } from "./policies/claim.ts";
import { FLOW_RUN_POLICY } from "./policies/flow-run.ts";
import { FORCED_POLICY } from "./policies/forced.ts";
import { FORCED_TASK_POLICY } from "./policies/forced-task.ts";
import { OWNED_TASK_POLICY } from "./policies/owned-task.ts";
import { TASK_RUN_POLICY } from "./policies/task-run.ts";
import type { FlowRunRecord, Minted, OwnedTaskPolicy, Policy, RunRecord, TaskRunRecord } from "./rule.ts";

const NOW = 1_795_000_000_000 as EpochMs;
const MINTED: Minted = { stateId: "00000000-0000-7000-8000-000000000001" as StateId };
const FROM: readonly (StateType | null)[] = [null, ...STATE_TYPES];

/** One picture: what is asked, and what the machine answers. */
interface Picture {
  readonly title: string;
  readonly rules: readonly { readonly name: string }[];
  readonly about: string;
  answer(from: State | null, to: StateCreate): { readonly result: OrchestrationResult; readonly written: unknown };
}

const DEPLOYED = {
  deploymentId: "00000000-0000-7000-8000-00000000000d" as DeploymentId,
  pooled: true,
  infrastructurePid: "4711",
  policy: FlowRunPolicy.parse({ retries: 1, retry_delay: 10 }),
};
const LOCAL = { deploymentId: null, pooled: false, infrastructurePid: null, policy: FlowRunPolicy.parse({}) };
const ABOUT_DEPLOYED = "A run of a deployment, due, whose process is known and which has one retry left.";
const ABOUT_LOCAL = "A run without deployment, known process or retries.";

const PICTURES: readonly Picture[] = [
  flowPicture("`flow-run`: anybody proposes, about a deployed run", ABOUT_DEPLOYED, FLOW_RUN_POLICY, DEPLOYED),
  flowPicture("`flow-run`: anybody proposes, about a local run", ABOUT_LOCAL, FLOW_RUN_POLICY, LOCAL),
  flowPicture("`forced`: a person insists", ABOUT_DEPLOYED, FORCED_POLICY, DEPLOYED),
  flowPicture("`claim`: a holder was lost", ABOUT_DEPLOYED, CLAIM_POLICY, DEPLOYED),
  {
    title: "`task-run`: the process proposes",
    rules: TASK_RUN_POLICY.rules,
    about: "A task, due, in its first attempt (if it has begun), with one retry after ten seconds.",
    answer: (from, to) => {
      const run: TaskRunRecord = {
        ...common(from),
        taskRunId: "00000000-0000-7000-8000-00000000000a" as TaskRunId,
        flowRunId: null,
        policy: TaskRunPolicy.parse({ retries: 1, retry_delay: 10 }),
      };
      return decideTask(TASK_RUN_POLICY, { from, to }, { now: NOW, run, random: 0.5 }, MINTED);
    },
  },
  ownedTaskPicture("`owned-task`: anybody proposes to the owner", OWNED_TASK_POLICY),
  ownedTaskPicture("`background-task`: the proposal is deferred", BACKGROUND_TASK_POLICY),
  ownedTaskPicture("`forced-task`: a person insists", FORCED_TASK_POLICY),
];

/** Every picture under its own heading, as Markdown with one blank line at neither end. */
export function transitionTable(): string {
  return PICTURES.map((picture) =>
    [
      `### ${picture.title}`,
      picture.about,
      `Rules in order: ${picture.rules.map(({ name }) => name).join(", ")}.`,
      tableOf(picture),
    ].join("\n\n"),
  ).join("\n\n");
}

function flowPicture(
  title: string,
  about: string,
  policy: Policy,
  particulars: Pick<FlowRunRecord, "deploymentId" | "pooled" | "infrastructurePid" | "policy">,
): Picture {
  return {
    title,
    about,
    rules: policy.rules,
    answer: (from, to) => {
      const run: FlowRunRecord = {
        ...common(from),
        ...particulars,
        flowRunId: "00000000-0000-7000-8000-00000000000f" as FlowRunId,
        parentTaskRunId: null,
      };
      const facts = {
        now: NOW,
        run,
        reservation: { kind: "granted", leaseId: null },
        mayHaveTwoProcesses: false,
      } as const;
      return decide(policy, { from, to }, facts, MINTED);
    },
  };
}

function ownedTaskPicture(title: string, policy: OwnedTaskPolicy): Picture {
  const flowRunId = "00000000-0000-7000-8000-00000000000f" as FlowRunId;
  return {
    title,
    about: "A task as above, of a flow that runs, without a remembered result.",
    rules: policy.rules,
    answer: (from, to) => {
      const run = {
        ...common(from),
        taskRunId: "00000000-0000-7000-8000-00000000000a" as TaskRunId,
        flowRunId,
        policy: TaskRunPolicy.parse({ retries: 1, retry_delay: 10 }),
        flowRunRunCount: 1,
      };
      const flowRun = { id: flowRunId, state: stored("RUNNING"), runCount: 1 };
      return decideOwnedTask(
        policy,
        { from, to },
        { now: NOW, run, random: 0.5, flowRun, cached: null, tagSlots: { kind: "granted" } },
        MINTED,
      );
    },
  };
}

function tableOf(picture: Picture): string {
  const head = ["from ↓ to →", ...STATE_TYPES];
  const body = FROM.map((from) => [
    from ?? "(none)",
    ...STATE_TYPES.map((to) => cell(picture, from === null ? null : stored(from), to)),
  ]);
  // Padded as the formatter pads Markdown, so that writing the table and formatting the file agree.
  const widths = head.map((title, column) => Math.max(title.length, ...body.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[], fill: string) =>
    `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0, fill)).join(" | ")} |`;
  return [
    line(head, " "),
    line(
      head.map(() => ""),
      "-",
    ),
    ...body.map((row) => line(row, " ")),
  ].join("\n");
}

function cell(picture: Picture, from: State | null, to: StateType): string {
  const { result, written } = picture.answer(from, proposed(to));
  switch (result.status) {
    case "ACCEPT":
      return "accept";
    case "REJECT":
      return written === null ? "keep" : `→ ${result.state?.name ?? "?"}`;
    case "WAIT":
      return "wait";
    case "ABORT":
      return "abort";
  }
}

function proposed(type: StateType): StateCreate {
  return { type, name: null, message: null, data: null, state_details: NO_DETAILS };
}

function stored(type: StateType): State {
  return {
    id: "00000000-0000-7000-8000-000000000000" as StateId,
    type,
    name: defaultStateName(type),
    timestamp: toWireTime((NOW - 60_000) as EpochMs),
    message: null,
    data: null,
    state_details: { ...NO_DETAILS, scheduled_time: toWireTime((NOW - 60_000) as EpochMs) },
  };
}

function common(state: State | null): RunRecord {
  const begun = state !== null && state.type !== "SCHEDULED" && state.type !== "PENDING";
  return {
    state,
    runCount: begun ? 1 : 0,
    totalRunTimeMs: 0,
    startTime: null,
    endTime: null,
    expectedStartTime: null,
    nextScheduledStartTime: null,
  };
}
