/** `sluice work-pool inspect`: a work pool with its queues and workers. */
import { createClient } from "../../../client/api-client.ts";
import { filterWorkers, filterWorkQueues, readWorkPool } from "../../../protocol/work-pools.ts";
import { defineCommand } from "../../command.ts";
import { poolArgument } from "./pool-argument.ts";

export const workPoolInspect = defineCommand({
  noun: "work-pool",
  verb: "inspect",
  summary: "Show one work pool with its queues and workers.",
  arguments: { pool: poolArgument() },
  options: {},
  examples: ["sluice work-pool inspect local", "sluice work-pool inspect local --output json"],
  async run({ arguments: { pool: name }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const [pool, queues, workers] = await Promise.all([
      client.call(readWorkPool, { params: { name } }),
      client.call(filterWorkQueues, { params: { name }, body: {} }, { idempotent: true }),
      client.call(filterWorkers, { params: { name }, body: {} }, { idempotent: true }),
    ]);
    output.item({ ...pool, queues, workers }, [
      { title: "ID", value: (one) => one.id },
      { title: "Name", value: (one) => one.name },
      { title: "Type", value: (one) => one.type },
      { title: "Description", value: (one) => one.description },
      { title: "Status", value: (one) => one.status },
      { title: "Limit", value: (one) => one.concurrency_limit },
      { title: "Queues", value: (one) => one.queues.map((queue) => queue.name).join(", ") },
      {
        title: "Workers",
        value: (one) =>
          one.workers.map((worker) => `${worker.name} (${worker.status.toLowerCase()})`).join(", ") || null,
      },
    ]);
    return undefined;
  },
});
