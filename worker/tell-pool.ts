import { poolSettings } from "./db/queries/pool-settings.ts";

/** Tells the object of a pool what its row and its queues are now: it pushes, and gives slots, by what it was told last. */
export async function tellPool(env: Env, name: string): Promise<void> {
  const settings = await poolSettings(env, name);
  if (settings) await env.WORK_POOLS.getByName(name).configure(settings);
}
