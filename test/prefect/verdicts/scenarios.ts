/** The runs whose changes of state are compared, and the states. */
import type { Json, JsonFields } from "../differential/json.ts";

export const STATES: Readonly<Record<string, JsonFields>> = {
  SCHEDULED: { type: "SCHEDULED" },
  "SCHEDULED in 2040": { type: "SCHEDULED", state_details: { scheduled_time: "2040-01-01T00:00:00Z" } },
  PENDING: { type: "PENDING" },
  RUNNING: { type: "RUNNING" },
  COMPLETED: { type: "COMPLETED" },
  FAILED: { type: "FAILED" },
  CRASHED: { type: "CRASHED" },
  CANCELLED: { type: "CANCELLED" },
  CANCELLING: { type: "CANCELLING" },
  PAUSED: { type: "PAUSED", state_details: { pause_timeout: "2040-01-01T00:00:00Z", pause_key: "one" } },
  "PAUSED to be rescheduled": {
    type: "PAUSED",
    name: "Suspended",
    state_details: { pause_timeout: "2040-01-01T00:00:00Z", pause_reschedule: true },
  },
};

export interface Scenario {
  readonly title: string;
  readonly kind: "flow" | "task";
  /** Fields of the run's creation. `{{…}}` are names of the pair. */
  readonly run: JsonFields;
  /** Where it is created, unless at its own list. */
  readonly at?: string;
  readonly force: boolean;
  /** What every proposal says besides. */
  readonly state?: JsonFields;
}

const flowRun = { flow_id: "{{flow}}", name: "run" };
const retried = { empirical_policy: { retries: 2, retry_delay: 0 } };

export const SCENARIOS: readonly Scenario[] = [
  { title: "a flow run", kind: "flow", run: flowRun, force: false },
  { title: "a flow run, forced", kind: "flow", run: flowRun, force: true },
  { title: "a flow run with retries", kind: "flow", run: { ...flowRun, ...retried }, force: false },
  {
    title: "a run of a deployment",
    kind: "flow",
    run: { name: "run" },
    at: "/deployments/{{deployment}}/create_flow_run",
    force: false,
  },
  {
    title: "a run of a deployment in a pool",
    kind: "flow",
    run: { name: "run" },
    at: "/deployments/{{pooled}}/create_flow_run",
    force: false,
  },
  {
    title: "a run of a deployment in a pool, forced",
    kind: "flow",
    run: { name: "run" },
    at: "/deployments/{{pooled}}/create_flow_run",
    force: true,
  },
  { title: "a subflow", kind: "flow", run: { ...flowRun, parent_task_run_id: "{{parent}}" }, force: false },
  { title: "a task run", kind: "task", run: { flow_run_id: "{{flow-run}}", task_key: "t" }, force: false },
  { title: "a task run, forced", kind: "task", run: { flow_run_id: "{{flow-run}}", task_key: "t" }, force: true },
  {
    title: "a task run with retries",
    kind: "task",
    run: { flow_run_id: "{{flow-run}}", task_key: "t", empirical_policy: { retries: 2, retry_delay: 0 } },
    force: false,
  },
];

/** What an answer to a proposal says, without ids and times. */
export function verdictOf(status: number, body: Json): string {
  const answer = Object(body) as { status?: string; details?: { delay_seconds?: number }; state?: JsonFields | null };
  if (status >= 400) return `${status}`;
  const state = answer.state ? ` ${String(answer.state["type"])}/${String(answer.state["name"])}` : "";
  const delay =
    answer.details?.delay_seconds === undefined ? "" : ` ${answer.details.delay_seconds > 0 ? "later" : "now"}`;
  return `${status} ${answer.status ?? "?"}${state}${delay}`;
}
