import { describe, it } from "vitest";
import { aTaskRunsOnlyWhileItsFlowDoes as rule } from "#machine/rules/a-task-runs-only-while-its-flow-does";
import { STATE_TYPES } from "#protocol/states";
import {
  ALL_FROM,
  aProposal,
  aState,
  FLOW_RUN_ID,
  inSeconds,
  ownedTaskObjections,
  proposeOwnedTask,
  verdict,
} from "../../support/builders.ts";

const flowRun = (state: ReturnType<typeof aState> | null) => ({ id: FLOW_RUN_ID, state, runCount: 1 });

describe("a task", () => {
  it("may do anything while its flow runs, or outside a flow", ({ expect }) => {
    expect(ownedTaskObjections(rule)).toEqual([]);
    expect(ownedTaskObjections(rule, { flowRun: null })).toEqual([]);
  });

  it("may not begin, whatever its state, while its flow waits", ({ expect }) => {
    const known = { flowRun: flowRun(aState("PENDING")) };
    expect(ownedTaskObjections(rule, known)).toEqual(ALL_FROM.map((from) => `${from} → RUNNING: ABORT`));
  });

  it.for([
    ...STATE_TYPES.map((state) => ({
      state,
      expected: state === "RUNNING" ? "ACCEPT" : state === "PAUSED" ? "REJECT NotReady" : "ABORT",
    })),
    { state: null, expected: "ABORT" },
  ])("of a flow in $state that is to run is answered $expected", ({ state, expected }, { expect }) => {
    const known = { flowRun: flowRun(state === null ? null : aState(state)) };
    expect(verdict(proposeOwnedTask(rule, aState("PENDING"), aProposal("RUNNING"), known))).toBe(expected);
  });

  it("of a paused flow waits as long as the flow does", ({ expect }) => {
    const details = { pause_timeout: inSeconds(60), pause_reschedule: true, pause_key: "mine" };
    const known = { flowRun: flowRun(aState("PAUSED", { details })) };
    const { result } = proposeOwnedTask(rule, null, aProposal("RUNNING"), known);
    expect(result.state?.state_details).toMatchObject({ ...details, pause_key: null });
  });
});
