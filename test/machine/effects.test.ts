import { describe, it } from "vitest";
import type { Decision, Policy } from "#machine/rule";
import { isTerminal, STATE_TYPES, type StateType } from "#protocol/states";
import {
  ALL_FROM,
  aProposal,
  aRun,
  aState,
  inSeconds,
  NOW,
  propose,
  type RunWishes,
  TASK_RUN_ID,
} from "../support/builders.ts";

const NO_RULES: Policy = { name: "no rules", rules: [] };
const IN_HAND: readonly (StateType | null)[] = ["PENDING", "RUNNING", "CANCELLING", "PAUSED"];

function kinds({ written }: Decision): string[] {
  const effects = (written?.effects ?? []).filter(({ kind }) => kind !== "event");
  return effects.map((effect) => (effect.kind === "tell-process" ? effect.action : effect.kind));
}

function step(from: StateType | null, to: StateType, run: RunWishes = {}): string[] {
  return kinds(propose(NO_RULES, from === null ? null : aState(from), aProposal(to), { run: aRun(run) }));
}

const EVERY_STEP = ALL_FROM.flatMap((from) => STATE_TYPES.map((to) => ({ from, to })));

describe("what follows from a step", () => {
  it.for(EVERY_STEP)("from $from to $to", ({ from, to }, { expect }) => {
    const expected = [
      to === "SCHEDULED" && "offer",
      from === "SCHEDULED" && to !== "SCHEDULED" && to !== "PENDING" && "withdraw",
      IN_HAND.includes(from) && (isTerminal(to) || to === "SCHEDULED") && "release",
      to === "CANCELLING" && "cancel",
      to === "CANCELLED" && (from === "PENDING" || from === "RUNNING" || from === "PAUSED") && "cancel",
      to === "CANCELLING" && from !== "CANCELLING" && "ask-children",
      to === "CANCELLED" && from !== "CANCELLED" && "cancel-children",
    ].filter((kind) => kind !== false);
    expect(step(from, to)).toEqual(expected);
  });

  it.for(EVERY_STEP)("concerns no pool when the run has none, from $from to $to", ({ from, to }, { expect }) => {
    expect(step(from, to, { pooled: false })).not.toContain("offer");
    expect(step(from, to, { pooled: false })).not.toContain("withdraw");
  });

  it.for(STATE_TYPES)("shows %s on the task that stands for the run in its parent", (type, { expect }) => {
    const { written } = propose(NO_RULES, null, aProposal(type), { run: aRun({ parentTaskRunId: TASK_RUN_ID }) });
    expect(written?.effects).toContainEqual({ kind: "mirror-to-parent", taskRunId: TASK_RUN_ID });
  });

  it.for(EVERY_STEP)("is always an event that tells of both states, from $from to $to", ({ from, to }, { expect }) => {
    const before = from === null ? null : aState(from);
    const { written } = propose(NO_RULES, before, aProposal(to), { run: aRun({ runCount: 3 }) });
    const events = written?.effects.filter(({ kind }) => kind === "event");
    expect(events).toEqual([{ kind: "event", from: before, to: written?.state, runCount: written?.run.runCount }]);
  });

  it("is an offer at the time the run is due", ({ expect }) => {
    const { written } = propose(NO_RULES, null, aProposal("SCHEDULED", { details: { scheduled_time: inSeconds(60) } }));
    expect(written?.effects).toContainEqual({ kind: "offer", dueAt: NOW + 60_000 });
  });
});

describe("a run whose own process waits for its retry", () => {
  const waiting: RunWishes = { policy: { retry_type: "in_process" } };

  it("is offered to nobody", ({ expect }) => {
    expect(step("RUNNING", "SCHEDULED", waiting)).toEqual([]);
    expect(step("SCHEDULED", "SCHEDULED", waiting)).toEqual(["withdraw"]);
  });

  it("gives its slot back when it ends", ({ expect }) => {
    expect(step("SCHEDULED", "CRASHED", waiting)).toEqual(["withdraw", "release"]);
  });

  it("hears that it was cancelled", ({ expect }) => {
    expect(step("SCHEDULED", "CANCELLED", waiting)).toEqual(["withdraw", "release", "cancel", "cancel-children"]);
  });
});

describe("a suspended run", () => {
  it("tells its process to stop and gives its slot back", ({ expect }) => {
    const to = aProposal("PAUSED", { details: { pause_reschedule: true } });
    expect(kinds(propose(NO_RULES, aState("RUNNING"), to))).toEqual(["release", "suspend"]);
  });

  it("has nothing to give back when it ends", ({ expect }) => {
    const from = aState("PAUSED", { details: { pause_reschedule: true } });
    expect(kinds(propose(NO_RULES, from, aProposal("CANCELLED")))).toEqual(["cancel-children"]);
  });
});
