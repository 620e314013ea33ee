/** Task workers: processes that execute background tasks. They subscribe by a WebSocket to the runs of their task keys. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { TaskRunId } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { WireTime } from "./time.ts";

/**
 * The query parameter of the address by which a worker holds its tasks: a UUID of its own for this connection and those
 * that replace it. Such a worker acknowledges a task when it has ended. One that it leaves before is offered again, after
 * a moment in which it may come back. Beyond Prefect's protocol.
 */
export const HOLD_PARAMETER = "hold";

/** The first frame after the handshake of `/task_runs/subscriptions/scheduled`. */
export const SubscribeFrame = z.object({
  type: z.literal("subscribe"),
  keys: z.array(z.string().min(1).max(LIMITS.taskKeyChars)).min(1).max(LIMITS.subscribedKeys),
  client_id: z.string().min(1).max(LIMITS.nameChars),
  /** What a worker that holds its tasks has in hand since an earlier connection. */
  in_hand: z.object({ id: TaskRunId, task_key: z.string() }).nullish(),
});
export type SubscribeFrame = z.infer<typeof SubscribeFrame>;

/** A task worker that is connected, or was until a moment ago. */
export const TaskWorker = z.object({
  identifier: z.string(),
  task_keys: z.array(z.string()),
  /** When it was last seen. */
  timestamp: WireTime,
});
export type TaskWorker = z.infer<typeof TaskWorker>;

/** One entry a worker, however many connections it has. Without task keys, all workers. */
export const filterTaskWorkers = endpoint({
  id: "filter_task_workers",
  method: "POST",
  path: "/task_workers/filter",
  tag: "Task Workers",
  role: "viewer",
  summary: "List the task workers that are connected, of all task keys or of any of those that are named.",
  body: z.object({ task_worker_filter: z.object({ task_keys: z.array(z.string()).nullish() }).nullish() }),
  returns: z.array(TaskWorker),
});
