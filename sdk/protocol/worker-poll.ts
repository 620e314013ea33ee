/**
 * The worker channel without a WebSocket, for workers whose sockets are cut: the same frames by requests. Each request
 * begins with `hello` and lasts until the pool has something to say or its time is over; a further request of the same
 * worker ends the one before, which answers what it has.
 */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";
import { WorkerClientFrame, WorkerServerFrame } from "./worker-channel.ts";

/**
 * What a frame is refused for is an `error` frame in the answer, not a status. The token of a run is not enough (403).
 * 404 for an unknown pool.
 */
export const pollWorkerChannel = endpoint({
  id: "poll_worker_channel",
  method: "POST",
  path: "/work_pools/:name/poll",
  tag: "Work Pools",
  role: "worker",
  summary: "Exchange frames of the worker channel by one request that waits for runs.",
  params: z.object({ name: z.string() }),
  body: z.object({
    frames: z.array(WorkerClientFrame).min(1).max(LIMITS.channelItems),
    /** How long to wait for something to do, in milliseconds. Default: 10,000. */
    wait_ms: z.int().min(0).max(30_000).nullish(),
  }),
  returns: z.object({ frames: z.array(WorkerServerFrame) }),
});
