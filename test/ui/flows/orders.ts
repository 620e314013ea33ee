/** Flows whose runs have something of everything that the UI shows. */
import { setTimeout as sleep } from "node:timers/promises";
import { artifacts, flow, logger, task } from "sluice";
import { z } from "zod";

const extract = task({ name: "extract" }, async (region: string, ms: number) => {
  logger().info(`reading orders of ${region}`);
  await sleep(ms);
  return { region, orders: region.length * 40 };
});

const price = task(
  { name: "price", retries: 2, retryDelay: "300ms" },
  async (batch: { region: string; orders: number }, failing: string | null) => {
    logger().debug("looking up prices");
    logger().info(`pricing ${batch.orders} orders of \u001b[36m${batch.region}\u001b[0m`);
    await sleep(150);
    if (batch.region === failing) {
      logger().warn("the price list is older than a day");
      throw new RangeError(`No price for article A-4711 in ${batch.region}: the list ends at A-4000`);
    }
    return batch.orders * 12.5;
  },
);

const total = task({ name: "total" }, async (sums: readonly number[]) => sums.reduce((all, one) => all + one, 0));

const notify = flow(
  { name: "notify" },
  async ({ sum, failing }: { readonly sum: number; readonly failing: string | null }) => {
    const office = await extract("head-office", 60);
    if (failing === office.region) await price(office, failing);
    logger().info(`told head office about ${sum}`);
  },
);

export const OrderParameters = z.object({
  regions: z.array(z.string()).default(["north", "south", "east", "west"]).describe("Which regions are summed up."),
  limit: z.int().min(1).max(5_000).default(500).describe("Orders that are read at most."),
  failing: z.string().nullable().default(null).describe("A region that has no prices."),
  mode: z.enum(["fast", "thorough"]).default("fast"),
});

export const orders = flow(
  {
    name: "daily-orders",
    parameters: OrderParameters,
  },
  async ({ regions, failing, mode }) => {
    logger().info(`${mode} run over ${regions.length} regions`);
    const batches = regions.map((region, index) => extract.submit(region, 100 + index * 80));
    const prices = batches.map((batch) => price.submit(batch, failing));
    const sum = await total(prices);
    const sums = await Promise.all(prices.map((one) => one.result()));
    await artifacts.markdown({ key: "summary", markdown: `# Orders\n\nThe sum is **${sum}**.\n\n- fast\n- correct` });
    await artifacts.table({ key: "regions", rows: regions.map((region, index) => ({ region, sum: sums[index] })) });
    await notify({ sum, failing });
    return sum;
  },
);

/** Goes on until it is told to stop. */
export const forever = flow({ name: "watch-inbox" }, async () => {
  for (let index = 1; ; index++) {
    logger().info(`looked into the inbox ${index} times`);
    await extract("inbox", 300);
  }
});

/** As many task runs and lines as asked for. */
export const many = flow(
  { name: "many-tasks" },
  async ({ tasks = 200, lines = 0 }: { readonly tasks?: number; readonly lines?: number }) => {
    for (let index = 0; index < lines; index++)
      logger().info(`line ${index} of ${lines}: something that a program says`);
    for (let index = 0; index < tasks; index += 50) {
      await Promise.all(
        Array.from({ length: Math.min(50, tasks - index) }, (_, at) => extract(`part ${index + at}`, 5 + (at % 7) * 4)),
      );
    }
  },
);
