/** The WebSockets of the API. Like an endpoint, each declares the least role that may open it. */
import type { Role } from "./endpoint.ts";

/**
 * A WebSocket, and who may open it. Asked for without an upgrade it answers 426. A key in the header is refused with
 * 401 or 403; one in the first frame by closing with 1008 and the reason.
 */
export interface Channel {
  readonly id: string;
  /** Below `/api`, with `:name` for parameters. */
  readonly path: `/${string}`;
  /** What travels on it, as a sentence for the API's document. */
  readonly summary: string;
  readonly role: Exclude<Role, "public">;
  /** Where the key is presented: in the Authorization header of the upgrade, or in the first frame, as Prefect's clients do. */
  readonly keyIn: "header" | "first frame";
}

/**
 * Its frames are described in run-channel.ts. The token of a run opens it for that run and for runs without a
 * deployment, else 403. 404 for an id that cannot be a run's.
 */
export const runChannel: Channel = {
  id: "run_channel",
  path: "/flow_runs/:id/channel",
  summary: "States, logs and task runs of a flow run, from its process.",
  role: "worker",
  keyIn: "header",
};
/** Its frames, and the codes with which it is closed, are in run-stream.ts. 404 for an id that cannot be a run's. */
export const runStream: Channel = {
  id: "run_stream",
  path: "/flow_runs/:id/stream",
  summary: "All that is known of a flow run, then its changes: state, task runs, logs.",
  role: "viewer",
  keyIn: "header",
};
/** Its frames are described in worker-channel.ts. 403 for the token of a run; 404 for an unknown pool. */
export const workerChannel: Channel = {
  id: "worker_channel",
  path: "/work_pools/:name/channel",
  summary: "Runs for a worker of the pool, as they are due.",
  role: "worker",
  keyIn: "header",
};
/** Its frames, and the reasons for which it is closed, are in prefect-worker-channel.ts. Runs do not travel on it. */
export const prefectWorkerChannel: Channel = {
  id: "prefect_worker_channel",
  path: "/work_pools/:name/workers/connect",
  summary: "Heartbeats of Prefect's workers, and changes of their pool.",
  role: "worker",
  keyIn: "first frame",
};
/**
 * Nothing is acknowledged by itself: a pong means that all that was sent before the ping is stored. An event that
 * cannot be read, or is too large, is dropped, and the socket stays open.
 */
export const eventsIn: Channel = {
  id: "events_in",
  path: "/events/in",
  summary: "Events of Prefect's clients.",
  role: "worker",
  keyIn: "first frame",
};
/**
 * After the handshake it takes one frame with the filter, see `FilterFrame`, and is closed with 1002 where that cannot
 * be read. A slow subscriber is served from what is stored, at most 64 MB of it.
 */
export const eventsOut: Channel = {
  id: "events_out",
  path: "/events/out",
  summary: "Events that match a filter: those of the last 15 minutes, then live.",
  role: "viewer",
  keyIn: "first frame",
};
/**
 * After the handshake it takes one frame with the filter. Earlier lines are not sent; where there are more than 16
 * shards the filter must name its runs, or the socket is closed with 1002.
 */
export const logsOut: Channel = {
  id: "logs_out",
  path: "/logs/out",
  summary: "New log lines that match a filter.",
  role: "viewer",
  keyIn: "first frame",
};
/** After the handshake it takes one frame with the task keys, see task-workers.ts. */
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
