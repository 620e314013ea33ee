import { notFound } from "#protocol/errors";
import type { WorkQueueId } from "#protocol/ids";
import { LIMITS } from "#protocol/limits";
import * as api from "#protocol/polling";
import type { WorkPool, WorkQueue } from "#protocol/work-pools";
import { listFlowRuns } from "../db/queries/flow-runs.ts";
import * as queries from "../db/queries/polling.ts";
import { listWorkQueues, workPoolByName } from "../db/queries/work-pools.ts";
import { workQueueById } from "../db/queries/work-queues.ts";
import { type App, serve } from "../serve.ts";

export function pollingRoutes(app: App): void {
  serve(
    app,
    api.pollWorkPool,
  )(async ({ env, params, body, c }) => {
    const pool = await requirePool(env, params.name);
    const queues = await queuesOf(env, pool, body.work_queue_names ?? null);
    c.executionCtx.waitUntil(queries.notePoolPoll(env, queues));
    if (pool.is_paused) return [];
    return queries.waitingInPool(env, pool, body.work_queue_names?.length ? queues : null, {
      scheduledBefore: body.scheduled_before ?? null,
      scheduledAfter: body.scheduled_after ?? null,
      limit: body.limit ?? LIMITS.pageRows,
    });
  });
  serve(
    app,
    api.pollDeployments,
  )(async ({ env, body, c }) => {
    c.executionCtx.waitUntil(queries.noteDeploymentPoll(env, body.deployment_ids));
    const runs = await listFlowRuns(
      env,
      {
        flow_runs: {
          deployment_id: { any_: body.deployment_ids },
          state: { type: { any_: ["SCHEDULED"] } },
          next_scheduled_start_time: { before_: body.scheduled_before ?? null },
        },
      },
      { sort: "NEXT_SCHEDULED_START_TIME_ASC", limit: body.limit ?? LIMITS.pageRows, offset: 0 },
    );
    // A run whose own process waits for the retry is nobody else's.
    return runs.filter((run) => run.empirical_policy.retry_type !== "in_process");
  });
  serve(
    app,
    api.pollWorkQueue,
  )(async ({ env, params, body, c }) => {
    const queue = await workQueueById(env, params.id);
    if (!queue) throw notFound("Work queue", params.id);
    c.executionCtx.waitUntil(queries.notePoolPoll(env, [queue.id]));
    const pool = await requirePool(env, queue.work_pool_name);
    if (pool.is_paused) return [];
    const waiting = await queries.waitingInPool(env, pool, [queue.id], {
      scheduledBefore: body.scheduled_before ?? null,
      scheduledAfter: null,
      limit: body.limit ?? LIMITS.pageRows,
    });
    return waiting.map(({ flow_run }) => flow_run);
  });
}

async function requirePool(env: Env, name: string): Promise<WorkPool> {
  const pool = await workPoolByName(env, name);
  if (!pool) throw notFound("Work pool", `"${name}"`, `Create it first: sluice work-pool create ${name}`);
  return pool;
}

/** The queues that are polled: those that are named, or all of the pool. */
async function queuesOf(env: Env, pool: WorkPool, names: readonly string[] | null): Promise<WorkQueueId[]> {
  const filter = names?.length ? { name: { any_: [...names] } } : null;
  const found = await listWorkQueues(env, pool, filter, { limit: LIMITS.pageRows, offset: 0 });
  const missing = names?.find((name) => !found.some((queue: WorkQueue) => queue.name === name));
  if (missing !== undefined) throw notFound("Work queue", `"${pool.name}/${missing}"`);
  return found.map(({ id }) => id);
}
