/**
 * The worker channel: between a worker process on somebody's machine and the object of its work pool.
 *
 * A WebSocket at `/api/work_pools/:name/channel`. The worker says `hello`; from then on the pool pushes runs, and a
 * push is a claim that has been made on the worker's behalf. The worker says `released` when the process of a run is
 * gone, whatever became of the run. Heartbeat: the text frame `ping`, answered `pong` by the runtime.
 */
import { z } from "zod";
import { JsonObject } from "./flow-runs.ts";
import { DeploymentId, FlowRunId, Uuid, type WorkQueueId } from "./ids.ts";
import { LIMITS } from "./limits.ts";

/** Version of this protocol. The pool refuses a worker of another one. */
export const WORKER_CHANNEL_PROTOCOL = 1;

/** All that a worker needs to start the process of a run. Parameters are not here: the process asks for its run. */
export const RunTicket = z.object({
  flow_run_id: FlowRunId,
  name: z.string(),
  /** The claim's number: reports under an older one are refused. */
  generation: z.int(),
  /** The claim is given back after this many milliseconds unless the run starts or the worker stays connected. */
  lease_ms: z.number(),
  deployment_id: DeploymentId.nullable(),
  /** `path/to/file.ts:exportName`, relative to `path`. */
  entrypoint: z.string().nullable(),
  /** Working directory of the code on the worker's machine; null for the worker's own. */
  path: z.string().nullable(),
  pull_steps: z.array(JsonObject).nullable(),
  job_variables: JsonObject,
  work_queue_name: z.string().nullable(),
  /** A key that is good for this run and no longer than it lasts; null where the control plane asks for none. */
  run_token: z.string().nullable().default(null),
});
export type RunTicket = z.infer<typeof RunTicket>;

/** A due or future run that is offered to a pool. Internal: between the objects. */
export interface PoolOffer {
  readonly ticket: Omit<RunTicket, "generation" | "lease_ms" | "run_token">;
  /** When it is to start, in milliseconds since 1970. */
  readonly due_at: number;
  readonly queue: { readonly id: WorkQueueId | null; readonly name: string; readonly priority: number };
}

const HeldRun = z.object({ flow_run_id: FlowRunId, generation: z.int() });

/** Frames that a worker sends. */
export const WorkerClientFrame = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("hello"),
    protocol: z.int(),
    worker_name: z.string().min(1).max(LIMITS.nameChars),
    worker_type: z.string(),
    /** Runs that the worker takes at the same time. */
    limit: z.int().min(1),
    /** Queues to take from; empty for all. */
    work_queue_names: z.array(z.string()).default([]),
    /** Runs are pushed so many milliseconds before they are due. */
    prefetch_ms: z.number().min(0).max(LIMITS.prefetchMs).default(0),
    /** Runs whose processes the worker still has, after a reconnect. */
    runs: z.array(HeldRun).default([]),
  }),
  z.object({ type: z.literal("released"), flow_run_id: FlowRunId, generation: z.int() }),
  /** The worker stops: nothing more is to be pushed; it finishes what it has. */
  z.object({ type: z.literal("drain") }),
]);
export type WorkerClientFrame = z.infer<typeof WorkerClientFrame>;

/** Frames that the pool sends. */
export const WorkerServerFrame = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("welcome"),
    protocol: z.int(),
    worker_id: Uuid,
    heartbeat_interval_ms: z.number(),
    base_job_template: JsonObject,
  }),
  z.object({ type: z.literal("run"), ticket: RunTicket }),
  /** The pool's template was changed: it holds for the runs that follow. */
  z.object({ type: z.literal("template"), base_job_template: JsonObject }),
  /** The run is being cancelled and its process did not end by itself: kill it. */
  z.object({ type: z.literal("kill"), flow_run_id: FlowRunId, generation: z.int() }),
  z.object({ type: z.literal("error"), code: z.string(), message: z.string(), fix: z.string() }),
]);
export type WorkerServerFrame = z.infer<typeof WorkerServerFrame>;
