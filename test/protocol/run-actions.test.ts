import { describe, it } from "vitest";
import type { DeploymentId, TaskRunId } from "#protocol/ids";
import { RUN_ACTIONS, whyNot } from "#protocol/run-actions";
import { defaultStateName, STATE_TYPES, type StateType } from "#protocol/states";

const DEPLOYMENT = "00000000-0000-7000-8000-00000000000d" as DeploymentId;

function allowed(type: StateType | null, deployment_id: DeploymentId | null): string {
  const run = { state_type: type, state_name: type && defaultStateName(type), deployment_id, parent_task_run_id: null };
  return RUN_ACTIONS.filter((action) => whyNot(action, run) === null).join(" ");
}

const ENDED = "retry run-again delete";
const DEPLOYED: Readonly<Record<StateType, string>> = {
  SCHEDULED: "run-again cancel delete",
  PENDING: "run-again cancel delete",
  RUNNING: "run-again cancel suspend",
  COMPLETED: ENDED,
  FAILED: ENDED,
  CANCELLED: ENDED,
  CRASHED: ENDED,
  PAUSED: "run-again cancel resume delete",
  CANCELLING: "run-again",
};

describe("what may be done with a run", () => {
  it.for(STATE_TYPES)("of a deployment that is %s is what the table says", (type, { expect }) => {
    expect(allowed(type, DEPLOYMENT)).toBe(DEPLOYED[type]);
  });

  it.for(STATE_TYPES)("without a deployment that is %s is the same, less what needs one", (type, { expect }) => {
    const rest = DEPLOYED[type].split(" ").filter((action) => !["retry", "run-again", "suspend"].includes(action));
    expect(allowed(type, null)).toBe(rest.join(" "));
  });

  it("names the reason of a refusal with the state", ({ expect }) => {
    const run = { state_type: "RUNNING", state_name: "Working", deployment_id: DEPLOYMENT } as const;
    const subflow = { ...run, parent_task_run_id: "00000000-0000-7000-8000-00000000000a" as TaskRunId };
    expect(whyNot("suspend", subflow)).toBe("It is a subflow: suspend the run that called it.");
    expect(whyNot("retry", { ...run, parent_task_run_id: null })).toBe("It has not ended: it is Working.");
  });
});
