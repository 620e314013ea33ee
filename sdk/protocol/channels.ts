/** The WebSockets of the API. Like an endpoint, each declares the least role that may open it. */
import type { Role } from "./endpoint.ts";

export interface Channel {
  readonly id: string;
  /** Below `/api`, with `:name` for parameters. */
  readonly path: `/${string}`;
  readonly summary: string;
  readonly role: Exclude<Role, "public">;
  /** Where the key is presented: in the Authorization header of the upgrade, or in the first frame, as Prefect's clients do. */
  readonly keyIn: "header" | "first frame";
}

export const runChannel: Channel = {
  id: "run_channel",
  path: "/flow_runs/:id/channel",
  summary: "States, logs and task runs of a flow run, from its process.",
  role: "worker",
  keyIn: "header",
};
export const runStream: Channel = {
  id: "run_stream",
  path: "/flow_runs/:id/stream",
  summary: "All that is known of a flow run, then its changes: state, task runs, logs.",
  role: "viewer",
  keyIn: "header",
};
export const workerChannel: Channel = {
  id: "worker_channel",
  path: "/work_pools/:name/channel",
  summary: "Runs for a worker of the pool, as they are due.",
  role: "worker",
  keyIn: "header",
};
export const prefectWorkerChannel: Channel = {
  id: "prefect_worker_channel",
  path: "/work_pools/:name/workers/connect",
  summary: "Heartbeats of Prefect's workers, and changes of their pool.",
  role: "worker",
  keyIn: "first frame",
};
export const eventsIn: Channel = {
  id: "events_in",
  path: "/events/in",
  summary: "Events of Prefect's clients.",
  role: "worker",
  keyIn: "first frame",
};
export const eventsOut: Channel = {
  id: "events_out",
  path: "/events/out",
  summary: "Events that match a filter: those of the last 15 minutes, then live.",
  role: "viewer",
  keyIn: "first frame",
};
export const logsOut: Channel = {
  id: "logs_out",
  path: "/logs/out",
  summary: "New log lines that match a filter.",
  role: "viewer",
  keyIn: "first frame",
};
export const taskSubscription: Channel = {
  id: "task_subscription",
  path: "/task_runs/subscriptions/scheduled",
  summary: "Background tasks for a task worker, one at a time.",
  role: "worker",
  keyIn: "first frame",
};

/** Every WebSocket there is. */
export const CHANNELS: readonly Channel[] = [
  runChannel,
  runStream,
  workerChannel,
  prefectWorkerChannel,
  eventsIn,
  eventsOut,
  logsOut,
  taskSubscription,
];
