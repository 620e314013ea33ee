/**
 * The minute's upkeep: pools whose workers are said to be online look whether they still are. A server that was killed
 * saw none of its sockets close, and a pool's object that sleeps does not look by itself.
 *
 * Idempotent: a tick may come twice, late, or not at all.
 */
import { poolsWithWorkersOnline } from "../db/queries/work-pools.ts";

export async function everyMinute(_controller: ScheduledController, env: Env): Promise<void> {
  const names = await poolsWithWorkersOnline(env);
  await Promise.all(names.map((name) => env.WORK_POOLS.getByName(name).status()));
}
