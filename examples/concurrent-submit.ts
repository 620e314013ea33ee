/**
 * Work that runs beside other work: `submit` answers a future at once, a future may be an argument, and results are taken
 * as they come.
 *
 * `node examples/concurrent-submit.ts`
 */
import { all, asCompleted, flow, logger, sleep, task } from "sluice";

const brew = task(
  { name: "brew", taskRunName: (drink: string) => `brew ${drink}` },
  async (drink: string, ms: number) => {
    await sleep(ms);
    return `hot ${drink}`;
  },
);

const serveUp = task({ name: "serve-up" }, async (drinks: readonly string[]) => drinks.join(" and "));
const cleanUp = task({ name: "clean-up" }, async () => "clean");

export const breakfast = flow({ name: "breakfast", concurrency: 2 }, async () => {
  const drinks = [brew.submit("tea", 30), brew.submit("coffee", 10)];
  // Waits for both, since it takes what they make.
  const served = serveUp.submit(drinks);
  // Takes nothing from it, and waits for it all the same.
  const cleaned = cleanUp.withOptions({ waitFor: [served] }).submit();
  const order: string[] = [];
  for await (const future of asCompleted(drinks)) order.push(await future.result());
  logger().info(`first there was ${order[0]}`);
  const [menu, kitchen] = await all([served, cleaned], { timeout: "1m" });
  return { order, served: menu, cleaned: kitchen };
});

if (import.meta.main) console.log(await breakfast());
