import { notFound, SluiceError } from "#protocol/errors";
import { LIMITS } from "#protocol/limits";
import { HTTP_POOL_TYPE, writePushSecrets } from "#protocol/push";
import * as api from "#protocol/work-pools";
import * as queries from "../db/queries/work-pools.ts";
import { checkPoolUrl } from "../push/check-pool-url.ts";
import { setPushSecrets } from "../push/secrets.ts";
import { type App, serve } from "../serve.ts";
import { tellPool } from "../tell-pool.ts";
import { tellStatusesNow } from "../tell-statuses.ts";

/** Upstream keeps names with this beginning for itself. */
const RESERVED_PREFIX = "prefect";

export function workPoolRoutes(app: App): void {
  serve(
    app,
    api.createWorkPool,
  )(async ({ env, body }) => {
    if (body.name.toLowerCase().startsWith(RESERVED_PREFIX)) {
      throw new SluiceError(
        "forbidden",
        `Work pool names starting with "${RESERVED_PREFIX}" are reserved for internal use.`,
        {
          fix: "Choose another name.",
        },
      );
    }
    if (body.type === HTTP_POOL_TYPE) checkPoolUrl(env, body.base_job_template ?? {});
    const pool = await queries.insertWorkPool(env, body);
    if (!pool) {
      throw new SluiceError("conflict", `A work pool named "${body.name}" already exists.`, {
        fix: `Use it as it is, or change it: PATCH /api/work_pools/${body.name}`,
      });
    }
    await tellPool(env, pool.name);
    await tellStatusesNow(env);
    return pool;
  });
  serve(app, api.filterWorkPools)(({ env, body }) => queries.listWorkPools(env, body.work_pools, pageOf(body)));
  serve(app, api.countWorkPools)(({ env, body }) => queries.countWorkPools(env, body.work_pools));
  serve(app, api.readWorkPool)(({ env, params }) => requirePool(env, params.name));
  serve(
    app,
    api.updateWorkPool,
  )(async ({ env, params, body }) => {
    if (body.base_job_template) {
      const { type } = await requirePool(env, params.name);
      if (type === HTTP_POOL_TYPE) checkPoolUrl(env, body.base_job_template);
    }
    const pool = await queries.changeWorkPool(env, params.name, body);
    if (!pool) throw notFound("Work pool", `"${params.name}"`);
    await tellPool(env, pool.name);
    await tellStatusesNow(env);
    return undefined;
  });
  serve(
    app,
    api.deleteWorkPool,
  )(async ({ env, params }) => {
    const pool = await requirePool(env, params.name);
    await queries.deleteWorkPool(env, pool);
    await env.WORK_POOLS.getByName(pool.name).remove();
    return undefined;
  });
  serve(
    app,
    writePushSecrets,
  )(async ({ env, params, body }) => {
    const pool = await requirePool(env, params.name);
    if (pool.type !== HTTP_POOL_TYPE) {
      throw new SluiceError(
        "conflict",
        `Work pool "${pool.name}" has the type ${pool.type}: nothing of it is pushed.`,
        {
          fix: `Set secrets of pools of the type ${HTTP_POOL_TYPE}: sluice work-pool create NAME --type ${HTTP_POOL_TYPE} --url URL`,
        },
      );
    }
    return setPushSecrets(env, pool.id, body.secrets ?? null);
  });
  serve(
    app,
    api.createWorkQueue,
  )(async ({ env, params, body }) => {
    const queue = await queries.insertWorkQueue(env, await requirePool(env, params.name), body);
    if (!queue) throw queueNameTaken(params.name, body.name);
    await tellPool(env, params.name);
    return queue;
  });
  serve(
    app,
    api.filterWorkQueues,
  )(async ({ env, params, body }) =>
    queries.listWorkQueues(env, await requirePool(env, params.name), body.work_queues, pageOf(body)),
  );
  serve(
    app,
    api.readWorkQueue,
  )(async ({ env, params }) => {
    const queue = await queries.workQueueByName(env, await requirePool(env, params.name), params.queue);
    if (!queue) throw notFound("Work queue", `"${params.name}/${params.queue}"`);
    return queue;
  });
  serve(
    app,
    api.updateWorkQueue,
  )(async ({ env, params, body }) => {
    const pool = await requirePool(env, params.name);
    const outcome = await queries.changeWorkQueue(env, pool, params.queue, body);
    if (outcome === "unknown") throw notFound("Work queue", `"${params.name}/${params.queue}"`);
    if (outcome === "name taken") throw queueNameTaken(params.name, body.name ?? "");
    await tellPool(env, params.name);
    await tellStatusesNow(env);
    return undefined;
  });
  serve(
    app,
    api.deleteWorkQueue,
  )(async ({ env, params }) => {
    const pool = await requirePool(env, params.name);
    const queue = await queries.workQueueByName(env, pool, params.queue);
    if (!queue) throw notFound("Work queue", `"${params.name}/${params.queue}"`);
    if (queue.id === pool.default_queue_id) {
      throw new SluiceError("conflict", `"${params.queue}" is the default queue of work pool "${params.name}".`, {
        fix: "Delete the whole pool, or leave its default queue.",
      });
    }
    await queries.deleteWorkQueue(env, pool, params.queue);
    await tellPool(env, params.name);
    return undefined;
  });
  serve(
    app,
    api.filterWorkers,
  )(async ({ env, params, body }) =>
    queries.listWorkers(env, await requirePool(env, params.name), body.workers, pageOf(body)),
  );
  serve(
    app,
    api.deleteWorker,
  )(async ({ env, params }) => {
    if (!(await queries.deleteWorker(env, await requirePool(env, params.name), params.worker))) {
      throw notFound("Worker", `"${params.worker}"`);
    }
    return undefined;
  });
  serve(
    app,
    api.sendWorkerHeartbeat,
  )(async ({ env, params, body }) => {
    await queries.recordHeartbeat(env, await requirePool(env, params.name), body);
    return undefined;
  });
}

function queueNameTaken(pool: string, name: string): SluiceError {
  return new SluiceError("conflict", `Work pool "${pool}" already has a queue named "${name}".`, {
    fix: "Choose another name, or change the queue that is there.",
  });
}

async function requirePool(env: Env, name: string): Promise<api.WorkPool> {
  const pool = await queries.workPoolByName(env, name);
  if (!pool) throw notFound("Work pool", `"${name}"`, `Create it first: sluice work-pool create ${name}`);
  return pool;
}

function pageOf(body: { limit?: number | null | undefined; offset?: number | null | undefined }): queries.Page {
  return { limit: body.limit ?? LIMITS.pageRows, offset: body.offset ?? 0 };
}
