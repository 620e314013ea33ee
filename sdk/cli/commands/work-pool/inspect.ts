/** `sluice work-pool inspect`: a work pool with its queues and workers. */
import { createClient } from "../../../client/api-client.ts";
import { filterWorkers, filterWorkQueues, readWorkPool } from "../../../protocol/work-pools.ts";
import { defaultTemplate } from "../../../runner/default-template.ts";
import { defineCommand } from "../../command.ts";
import { flag } from "../../parameters.ts";
import { poolArgument } from "./pool-argument.ts";

export const workPoolInspect = defineCommand({
  noun: "work-pool",
  verb: "inspect",
  summary: "Show one work pool with its queues and workers.",
  arguments: { pool: poolArgument() },
  options: { template: flag("Print the template of its jobs alone, as JSON: its own, or else that of its type.") },
  examples: [
    "sluice work-pool inspect local",
    "sluice work-pool inspect local --output json",
    "sluice work-pool inspect gpu --template > template.json",
  ],
  async run({ arguments: { pool: name }, options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    if (options.template) {
      const { type, base_job_template: own } = await client.call(readWorkPool, { params: { name } });
      const isEmpty = Object.keys(own).length === 0;
      const template = isEmpty ? ((await defaultTemplate(client, type, { idempotent: true })) ?? own) : own;
      output.event(template, JSON.stringify(template, null, 2));
      return undefined;
    }
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
