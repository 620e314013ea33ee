/**
 * The channel of Prefect's own workers (`work_pool_worker_channel.v1`): heartbeats one way, the pool's settings the
 * other. Runs do not travel on it; such a worker asks for them over REST.
 */
import { z } from "zod";
import { JsonObject } from "./flow-runs.ts";
import { Uuid } from "./ids.ts";
import { WireTime } from "./time.ts";

/** The one version of the channel that is spoken here; a worker that does not offer it is sent away. */
export const PREFECT_CHANNEL_VERSION = "work_pool_worker_channel.v1";
/** What this control plane offers on it. Delivery of clean-up messages is not among it. */
export const PREFECT_CHANNEL_CAPABILITIES = ["worker_heartbeat.v1", "work_pool_snapshot.v1"] as const;

/** Why a channel is closed: the reason of the close frame, with its code. */
export const PREFECT_CHANNEL_CLOSES = {
  authentication_failed: 1008,
  authorization_failed: 1008,
  unsupported_version: 1008,
  protocol_error: 1002,
  heartbeat_persistence_failed: 1011,
  transient_server_error: 1011,
} as const;
/** A reason of the close frame. */
export type PrefectChannelClose = keyof typeof PREFECT_CHANNEL_CLOSES;

const frame = { id: Uuid, sent_at: WireTime };
const name = z.string().min(1).max(255);
const intervalSeconds = z.int().min(1).max(86_400);

/**
 * The first frame of a worker after its key. It names the queues that it serves (all without any), and may have the
 * pool made with its template.
 */
export const PrefectWorkerHello = z.object({
  ...frame,
  type: z.literal("worker.hello.v1"),
  payload: z.object({
    consumer_id: Uuid,
    worker_name: name,
    worker_type: name,
    heartbeat_interval_seconds: intervalSeconds,
    supported_channel_versions: z.array(z.string()).min(1),
    requested_capabilities: z
      .array(z.string())
      .refine((asked) => PREFECT_CHANNEL_CAPABILITIES.every((needed) => asked.includes(needed)), {
        error: `must contain ${PREFECT_CHANNEL_CAPABILITIES.join(" and ")}`,
      }),
    work_queue_names: z.array(name).nullish(),
    create_pool_if_not_found: z.boolean().nullish(),
    default_base_job_template: JsonObject.nullish(),
  }),
});
export type PrefectWorkerHello = z.infer<typeof PrefectWorkerHello>;

/** A sign of life. After three intervals without one the worker counts as offline. */
export const PrefectWorkerHeartbeat = z.object({
  ...frame,
  type: z.literal("worker.heartbeat.v1"),
  payload: z.object({ consumer_id: Uuid, worker_name: name, heartbeat_interval_seconds: intervalSeconds }),
});
