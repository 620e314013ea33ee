import { notFound } from "#protocol/errors";
import { LIMITS } from "#protocol/limits";
import * as api from "#protocol/slot-holders";
import { activeSlots, activeSlotsOfPool, slotHolders } from "../db/queries/slot-holders.ts";
import { countWorkQueues, listWorkQueues, workPoolByName } from "../db/queries/work-pools.ts";
import { workQueueById } from "../db/queries/work-queues.ts";
import { paginate } from "../paginate.ts";
import { type App, serve } from "../serve.ts";

const RUNS_OF_QUEUE = 10;

export function slotHolderRoutes(app: App): void {
  serve(
    app,
    api.readWorkPoolSlots,
  )(async ({ env, params, body }) => {
    const pool = await workPoolByName(env, params.name);
    if (!pool) throw notFound("Work pool", `"${params.name}"`);
    const used = await activeSlotsOfPool(env, pool.id);
    const runs = Math.min(body.flow_run_limit ?? RUNS_OF_QUEUE, LIMITS.pageRows);
    const { results, ...page } = await paginate(
      body,
      (part) => listWorkQueues(env, pool, null, part),
      () => countWorkQueues(env, pool),
    );
    return {
      active_slots: [...used.values()].reduce((total, count) => total + count, 0),
      concurrency_limit: pool.concurrency_limit,
      queues: await Promise.all(
        results.map(async (queue) => {
          const count = used.get(queue.id) ?? 0;
          return {
            queue_id: queue.id,
            queue_name: queue.name,
            active_slots: count,
            concurrency_limit: queue.concurrency_limit,
            flow_runs: count === 0 ? [] : await slotHolders(env, queue.id, { limit: runs, offset: 0 }),
            flow_run_count: count,
          };
        }),
      ),
      ...page,
    };
  });
  serve(
    app,
    api.readWorkQueueSlots,
  )(async ({ env, params, body }) => {
    const queue = await workQueueById(env, params.id);
    if (!queue) throw notFound("Work queue", params.id);
    const used = (await activeSlots(env, [queue.id])).get(queue.id) ?? 0;
    const { results, ...page } = await paginate(
      body,
      (part) => slotHolders(env, queue.id, part),
      async () => used,
    );
    return { active_slots: used, concurrency_limit: queue.concurrency_limit, flow_runs: results, ...page };
  });
}
