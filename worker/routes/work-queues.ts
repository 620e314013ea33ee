import { notFound, SluiceError } from "#protocol/errors";
import type { WorkQueueId } from "#protocol/ids";
import { LIMITS } from "#protocol/limits";
import type { WorkPool, WorkQueue } from "#protocol/work-pools";
import * as api from "#protocol/work-queues";
import {
  changeWorkQueue,
  deleteWorkQueue,
  insertWorkQueue,
  workPoolByName,
  workQueueByName,
} from "../db/queries/work-pools.ts";
import * as queries from "../db/queries/work-queues.ts";
import { type App, serve } from "../serve.ts";
import { tellPool } from "../tell-pool.ts";
import { tellStatusesNow } from "../tell-statuses.ts";

export function workQueueRoutes(app: App): void {
  serve(
    app,
    api.createAgentQueue,
  )(async ({ env, body }) => {
    const pool = await queries.agentPool(env);
    const queue = await insertWorkQueue(env, pool, body);
    if (!queue) throw nameTaken(pool.name, body.name);
    await tellPool(env, pool.name);
    return queue;
  });
  serve(
    app,
    api.filterAllWorkQueues,
  )(({ env, body }) =>
    queries.listAllWorkQueues(env, body.work_queues, {
      limit: body.limit ?? LIMITS.pageRows,
      offset: body.offset ?? 0,
    }),
  );
  serve(
    app,
    api.readAgentQueue,
  )(async ({ env, params }) => {
    const pool = await workPoolByName(env, api.AGENT_POOL);
    const queue = pool && (await workQueueByName(env, pool, params.name));
    if (!queue) throw notFound("Work queue", `"${params.name}"`);
    return queue;
  });
  serve(app, api.readWorkQueueById)(({ env, params }) => requireQueue(env, params.id));
  serve(
    app,
    api.readWorkQueueStatus,
  )(async ({ env, params }) => queries.workQueueStatus(env, await requireQueue(env, params.id)));
  serve(
    app,
    api.updateWorkQueueById,
  )(async ({ env, params, body }) => {
    const { queue, pool } = await withPool(env, params.id);
    const outcome = await changeWorkQueue(env, pool, queue.name, body);
    if (outcome === "unknown") throw notFound("Work queue", params.id);
    if (outcome === "name taken") throw nameTaken(pool.name, body.name ?? "");
    await tellPool(env, pool.name);
    await tellStatusesNow(env);
    return undefined;
  });
  serve(
    app,
    api.deleteWorkQueueById,
  )(async ({ env, params }) => {
    const { queue, pool } = await withPool(env, params.id);
    if (queue.id === pool.default_queue_id) {
      throw new SluiceError("conflict", `"${queue.name}" is the default queue of work pool "${pool.name}".`, {
        fix: "Delete the whole pool, or leave its default queue.",
      });
    }
    await deleteWorkQueue(env, pool, queue.name);
    await tellPool(env, pool.name);
    return undefined;
  });
}

async function requireQueue(env: Env, id: WorkQueueId): Promise<WorkQueue> {
  const queue = await queries.workQueueById(env, id);
  if (!queue) throw notFound("Work queue", id);
  return queue;
}

async function withPool(env: Env, id: WorkQueueId): Promise<{ queue: WorkQueue; pool: WorkPool }> {
  const queue = await requireQueue(env, id);
  const pool = await workPoolByName(env, queue.work_pool_name);
  if (!pool) throw notFound("Work pool", `"${queue.work_pool_name}"`);
  return { queue, pool };
}

function nameTaken(pool: string, name: string): SluiceError {
  return new SluiceError("conflict", `Work pool "${pool}" already has a queue named "${name}".`, {
    fix: "Choose another name, or change the queue that is there.",
  });
}
