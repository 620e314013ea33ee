/** `sluice work-queue create`. */
import { createClient } from "../../../client/api-client.ts";
import { createWorkQueue } from "../../../protocol/work-pools.ts";
import { defineCommand } from "../../command.ts";
import { integer, text } from "../../parameters.ts";
import { queueArgument } from "../../queue-name.ts";
import { WORK_QUEUE_COLUMNS } from "./columns.ts";

export const workQueueCreate = defineCommand({
  noun: "work-queue",
  verb: "create",
  summary: "Create a queue of a work pool.",
  arguments: { queue: queueArgument() },
  options: {
    priority: integer("Runs of lower numbers go first. Default: behind all others.", { min: 1, short: "p" }),
    concurrencyLimit: integer("Runs of the queue at the same time. Default: no limit.", { min: 0 }),
    description: text("What the queue is for."),
  },
  examples: ["sluice work-queue create local/urgent --priority 1"],
  async run({ arguments: { queue: params }, options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const queue = await client.call(createWorkQueue, {
      params: { name: params.name },
      body: {
        name: params.queue,
        priority: options.priority ?? null,
        concurrency_limit: options.concurrencyLimit ?? null,
        description: options.description ?? null,
      },
    });
    output.item(queue, WORK_QUEUE_COLUMNS);
    return undefined;
  },
});
