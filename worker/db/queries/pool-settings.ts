/** What the object of a pool is told of its row and of those of its queues. */
import { eq } from "drizzle-orm";
import type { WorkQueueId } from "#protocol/ids";
import { HTTP_POOL_TYPE } from "#protocol/push";
import type { PoolSettings } from "../../../durable-objects/work-pool-owner.ts";
import { openDb } from "../open.ts";
import { workPools, workQueues } from "../schema/work-pools.ts";

/** Null when there is no pool of this name. */
export async function poolSettings(env: Env, name: string): Promise<PoolSettings | null> {
  const db = openDb(env);
  const [pools, queues] = await db.batch([
    db.select().from(workPools).where(eq(workPools.name, name)),
    db
      .select({ queue: workQueues })
      .from(workQueues)
      .innerJoin(workPools, eq(workPools.id, workQueues.workPoolId))
      .where(eq(workPools.name, name)),
  ]);
  const pool = pools[0];
  if (!pool) return null;
  return {
    isPaused: pool.isPaused,
    concurrencyLimit: pool.concurrencyLimit,
    isPushed: pool.type === HTTP_POOL_TYPE,
    baseJobTemplate: pool.baseJobTemplate,
    queues: queues.map(({ queue }) => ({
      id: queue.id as WorkQueueId,
      name: queue.name,
      priority: queue.priority,
      isPaused: queue.isPaused,
      concurrencyLimit: queue.concurrencyLimit,
    })),
  };
}
