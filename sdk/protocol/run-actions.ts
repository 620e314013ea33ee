/** What may be done with a flow run in which state: one table, for every screen and program that offers it. */
import type { FlowRun } from "./flow-runs.ts";
import { isTerminal } from "./states.ts";

/** All actions. `retry` runs the same run again; `run-again` makes another one of its deployment. */
export const RUN_ACTIONS = ["retry", "run-again", "cancel", "suspend", "resume", "delete"] as const;
/** One of {@link RUN_ACTIONS}. */
export type RunAction = (typeof RUN_ACTIONS)[number];

/** What of a flow run decides on what may be done with it. */
export type ActionFacts = Pick<FlowRun, "state_type" | "state_name" | "deployment_id" | "parent_task_run_id">;

/** Why an action is refused, as a sentence; null when it is allowed. */
type Refusal = string | null;

/** The control plane decides in the end: a run may have gone on since it was read. */
const CAN: Readonly<Record<RunAction, (run: ActionFacts) => Refusal>> = {
  retry: (run) =>
    needsDeployment(run, "run it again") ??
    (isTerminal(run.state_type) ? null : `It has not ended: it is ${stateOf(run)}.`),
  "run-again": (run) => needsDeployment(run, "start another run"),
  cancel: (run) => {
    if (isTerminal(run.state_type)) return `It has ended: it is ${stateOf(run)}.`;
    return run.state_type === "CANCELLING" ? "It is being cancelled already." : null;
  },
  suspend: (run) =>
    needsDeployment(run, "let it go on later") ??
    (run.parent_task_run_id === null ? null : "It is a subflow: suspend the run that called it.") ??
    (run.state_type === "RUNNING" ? null : `Only a running run is suspended; it is ${stateOf(run)}.`),
  resume: (run) => (run.state_type === "PAUSED" ? null : `It is not paused: it is ${stateOf(run)}.`),
  delete: (run) =>
    run.state_type === "RUNNING" || run.state_type === "CANCELLING" ? "Cancel it first: its process is at work." : null,
};

/** Why `action` is not allowed for this run, as a sentence; null when it is allowed. */
export function whyNot(action: RunAction, run: ActionFacts): string | null {
  return CAN[action](run);
}

function needsDeployment(run: ActionFacts, what: string): Refusal {
  return run.deployment_id === null ? `It has no deployment, so nobody could ${what}.` : null;
}

function stateOf(run: ActionFacts): string {
  return run.state_name ?? "without a state";
}
