/** `sluice work-queue update`. */
import { createClient } from "../../../client/api-client.ts";
import { readWorkQueue, updateWorkQueue } from "../../../protocol/work-pools.ts";
import { defineCommand } from "../../command.ts";
import { integer, text } from "../../parameters.ts";
import { queueArgument } from "../../queue-name.ts";
import { limitChange, runLimit } from "../../run-limit.ts";
import { WORK_QUEUE_COLUMNS } from "./columns.ts";

export const workQueueUpdate = defineCommand({
  noun: "work-queue",
  verb: "update",
  summary: "Change a queue of a work pool. Runs above a lowered limit run to their end.",
  arguments: { queue: queueArgument() },
  options: {
    priority: integer("Runs of lower numbers go first.", { min: 1, short: "p" }),
    concurrencyLimit: runLimit("Runs of the queue at the same time."),
    description: text("What the queue is for."),
  },
  examples: ["sluice work-queue update local/urgent --concurrency-limit 2"],
  async run({ arguments: { queue: params }, options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    await client.call(updateWorkQueue, {
      params,
      body: {
        ...(options.priority === undefined ? {} : { priority: options.priority }),
        ...limitChange(options.concurrencyLimit),
        ...(options.description === undefined ? {} : { description: options.description }),
      },
    });
    output.item(await client.call(readWorkQueue, { params }), WORK_QUEUE_COLUMNS);
    return undefined;
  },
});
