/**
 * The minute's upkeep: pools whose workers are said to be online look whether they still are. A server that was killed
 * saw none of its sockets close, and a pool's object that sleeps does not look by itself. Workers that show themselves
 * by heartbeats over REST are known to D1 only, and are marked offline here when they have fallen silent. What became
 * ready or stopped being so is then told of by events.
 *
 * Idempotent: a tick may come twice, late, or not at all.
 */
import type { EpochMs } from "#protocol/time";
import { markSilentWorkers, poolsWithWorkersOnline } from "../db/queries/work-pools.ts";
import { tellStatuses } from "../tell-statuses.ts";

export async function everyMinute(_controller: ScheduledController, env: Env): Promise<void> {
  const names = await poolsWithWorkersOnline(env);
  await Promise.all(
    names.map(async (name) => {
      const { workers } = await env.WORK_POOLS.getByName(name).status();
      const connected = workers.filter((worker) => worker.online).map((worker) => worker.name);
      await markSilentWorkers(env, name, connected);
    }),
  );
  // After workers that fell silent are marked so: statuses follow from them.
  await tellStatuses(env, Date.now() as EpochMs);
}
