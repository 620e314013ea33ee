/** What the first frame of one of Prefect's workers asks for: its pool, made if need be, its queues, its heartbeat. */
import { BaseJobTemplate } from "#protocol/job-template";
import {
  PREFECT_CHANNEL_CAPABILITIES,
  PREFECT_CHANNEL_VERSION,
  type PrefectChannelClose,
  type PrefectWorkerHello,
} from "#protocol/prefect-worker-channel";
import type { WorkPool, WorkQueue } from "#protocol/work-pools";
import * as queries from "./db/queries/work-pools.ts";
import { tellPool } from "./tell-pool.ts";

const ALL = { limit: 200, offset: 0 };
/** Upstream keeps names with this beginning for itself. */
const RESERVED_PREFIX = "prefect";
const DEFAULT_QUEUE = "default";

/** A worker that is let in, or why it is not. Nothing is changed for one that is not. */
export type Setup =
  | { readonly kind: "ready"; readonly pool: WorkPool; readonly payload: object }
  | { readonly kind: "refused"; readonly because: PrefectChannelClose };

export async function setUpWorker(env: Env, name: string, { payload }: PrefectWorkerHello): Promise<Setup> {
  const refused = (because: PrefectChannelClose): Setup => ({ kind: "refused", because });
  if (!payload.supported_channel_versions.includes(PREFECT_CHANNEL_VERSION)) return refused("unsupported_version");
  const template = BaseJobTemplate.safeParse(payload.default_base_job_template ?? {});
  if (!template.success) return refused("protocol_error");
  const names = [...new Set(payload.work_queue_names ?? [])];
  let pool = await queries.workPoolByName(env, name);
  if (pool === null) {
    const mayMake = payload.create_pool_if_not_found === true && !name.toLowerCase().startsWith(RESERVED_PREFIX);
    if (!mayMake || names.some((queue) => queue !== DEFAULT_QUEUE)) return refused("authorization_failed");
    const request = { name, type: payload.worker_type, base_job_template: template.data };
    // Somebody else may have made it meanwhile.
    pool = (await queries.insertWorkPool(env, request)) ?? (await queries.workPoolByName(env, name));
    if (pool === null) return refused("transient_server_error");
    await tellPool(env, name);
  }
  const found = await queries.listWorkQueues(env, pool, names.length > 0 ? { name: { any_: names } } : null, ALL);
  if (found.length < names.length) return refused("authorization_failed");
  if (Object.keys(pool.base_job_template).length === 0 && Object.keys(template.data).length > 0) {
    await queries.changeWorkPool(env, name, { base_job_template: template.data });
    await tellPool(env, name);
  }
  try {
    const beat = { name: payload.worker_name, heartbeat_interval_seconds: payload.heartbeat_interval_seconds };
    await queries.recordHeartbeat(env, pool, beat);
  } catch (error) {
    console.warn(`The heartbeat of worker "${payload.worker_name}" could not be stored.`, error);
    return refused("heartbeat_persistence_failed");
  }
  const now = (await queries.workPoolByName(env, name)) ?? pool;
  return { kind: "ready", pool: now, payload: readyPayload(payload, found, now) };
}

function readyPayload(asked: PrefectWorkerHello["payload"], queues: readonly WorkQueue[], pool: WorkPool): object {
  const offered: readonly string[] = PREFECT_CHANNEL_CAPABILITIES;
  return {
    consumer_id: asked.consumer_id,
    worker_id: null,
    selected_channel_version: PREFECT_CHANNEL_VERSION,
    effective_heartbeat_interval_seconds: asked.heartbeat_interval_seconds,
    accepted_capabilities: offered,
    rejected_capabilities: [...new Set(asked.requested_capabilities)].filter((name) => !offered.includes(name)),
    effective_max_cleanup_concurrency: 0,
    resolved_work_queues: queues.map(({ id, name }) => ({ id, name })),
    initial_snapshot: { snapshot_sequence: 1, reason: "initial", work_pool: pool },
  };
}
