import { describe, it } from "vitest";
import type { Policy, TaskPolicy } from "#machine/rule";
import { isTerminal, STATE_TYPES } from "#protocol/states";
import { type EpochMs, toWireTime } from "#protocol/time";
import {
  ALL_FROM,
  aProposal,
  aRun,
  aState,
  aTaskRun,
  FLOW_RUN_ID,
  inSeconds,
  NOW,
  propose,
  proposeTask,
  TASK_RUN_ID,
} from "../support/builders.ts";

const NO_RULES: Policy = { name: "no rules", rules: [] };
const NO_TASK_RULES: TaskPolicy = { name: "no rules", rules: [] };
const EARLIER = (NOW - 600_000) as EpochMs;

describe("a state's timestamp", () => {
  it("is now", ({ expect }) => {
    expect(propose(NO_RULES, aState("PENDING"), aProposal("RUNNING")).written?.state.timestamp).toBe(toWireTime(NOW));
  });

  it.for([
    { before: 0, after: 0.000001 },
    { before: 0.000998, after: 0.000999 },
    { before: 0.000999, after: 0.001 },
    { before: 0.999999, after: 1 },
    { before: 3600, after: 3600.000001 },
  ])("is one microsecond after a state before it that is $before s ahead", ({ before, after }, { expect }) => {
    const from = aState("PENDING", { timestamp: inSeconds(before) });
    expect(propose(NO_RULES, from, aProposal("RUNNING")).written?.state.timestamp).toBe(inSeconds(after));
  });
});

describe("a written state", () => {
  it.for(STATE_TYPES)("%s has the default name, unless it was given one", (type, { expect }) => {
    expect(propose(NO_RULES, null, aProposal(type)).written?.state.name).toBe(aState(type).name);
    expect(propose(NO_RULES, null, aProposal(type, { name: "Other" })).written?.state.name).toBe("Other");
    expect(propose(NO_RULES, null, aProposal(type, { name: "" })).written?.state.name).toBe(aState(type).name);
  });

  it("names its runs", ({ expect }) => {
    const flow = propose(NO_RULES, null, aProposal("RUNNING")).written?.state.state_details;
    const task = proposeTask(NO_TASK_RULES, null, aProposal("RUNNING")).written?.state.state_details;
    expect(flow).toMatchObject({ flow_run_id: FLOW_RUN_ID, task_run_id: null });
    expect(task).toMatchObject({ flow_run_id: FLOW_RUN_ID, task_run_id: TASK_RUN_ID });
  });

  it("of a subflow names the task run that stands for it", ({ expect }) => {
    const run = aRun({ parentTaskRunId: TASK_RUN_ID });
    const written = propose(NO_RULES, null, aProposal("RUNNING"), { run }).written;
    expect(written?.state.state_details).toMatchObject({ flow_run_id: FLOW_RUN_ID, task_run_id: TASK_RUN_ID });
  });

  it.for([
    { type: "SCHEDULED", given: null, expected: inSeconds(0) },
    { type: "SCHEDULED", given: inSeconds(60), expected: inSeconds(60) },
    { type: "PENDING", given: null, expected: null },
    { type: "PENDING", given: inSeconds(60), expected: inSeconds(60) },
  ] as const)("$type that is to start at $given has the scheduled time $expected", (row, { expect }) => {
    const to = aProposal(row.type, { details: { scheduled_time: row.given } });
    expect(propose(NO_RULES, null, to).written?.state.state_details.scheduled_time).toBe(row.expected);
  });
});

describe("the times of a run", () => {
  it.for(ALL_FROM.flatMap((from) => STATE_TYPES.map((to) => ({ from, to }))))(
    "are kept on the way from $from to $to",
    ({ from, to }, { expect }) => {
      const run = aRun({
        startTime: null,
        endTime: isTerminal(from) ? EARLIER : null,
        expectedStartTime: from === null ? null : EARLIER,
        nextScheduledStartTime: from === "SCHEDULED" ? EARLIER : null,
        runCount: 1,
        totalRunTimeMs: 5,
      });
      const { written } = propose(NO_RULES, from === null ? null : aState(from), aProposal(to), { run });
      expect(written?.run).toMatchObject({
        startTime: to === "RUNNING" || isTerminal(to) ? NOW : null,
        endTime: isTerminal(to) ? NOW : null,
        expectedStartTime: from === null ? NOW : EARLIER,
        nextScheduledStartTime: to === "SCHEDULED" ? NOW : null,
        runCount: to === "RUNNING" ? 2 : 1,
        totalRunTimeMs: from === "RUNNING" ? 60_005 : 5,
      });
      expect(written?.run.state).toBe(written?.state);
    },
  );

  it("keep the first start", ({ expect }) => {
    const run = aRun({ startTime: EARLIER });
    expect(propose(NO_RULES, aState("SCHEDULED"), aProposal("RUNNING"), { run }).written?.run.startTime).toBe(EARLIER);
  });

  it("expect a new run at the time it is scheduled for", ({ expect }) => {
    const to = aProposal("SCHEDULED", { details: { scheduled_time: inSeconds(60) } });
    const { written } = propose(NO_RULES, null, to);
    expect(written?.run).toMatchObject({ expectedStartTime: NOW + 60_000, nextScheduledStartTime: NOW + 60_000 });
  });
});

describe("the count of runs", () => {
  it.for([
    { resuming: false, runCount: 2 },
    { resuming: null, runCount: 2 },
    { resuming: true, runCount: 1 },
  ])("is $runCount after a second start, resuming $resuming", ({ resuming, runCount }, { expect }) => {
    const run = aRun({ runCount: 1, policy: { resuming } });
    expect(propose(NO_RULES, aState("PENDING"), aProposal("RUNNING"), { run }).written?.run.runCount).toBe(runCount);
  });

  it.for(STATE_TYPES)("is told of a resumption until the run arrives in RUNNING or ends (%s)", (type, { expect }) => {
    const run = aRun({ policy: { resuming: true } });
    const { written } = propose(NO_RULES, aState("PAUSED"), aProposal(type), { run });
    expect(written?.run.policy.resuming).toBe(!(type === "RUNNING" || isTerminal(type)));
  });

  it("of a task counts every start", ({ expect }) => {
    const { written } = proposeTask(NO_TASK_RULES, aState("RUNNING"), aProposal("RUNNING"), {
      run: aTaskRun({ runCount: 1 }),
    });
    expect(written?.run).toMatchObject({ runCount: 2, totalRunTimeMs: 60_000 });
  });
});
