/** `sluice work-queue delete`. */
import { createClient } from "../../../client/api-client.ts";
import { deleteWorkQueue } from "../../../protocol/work-pools.ts";
import { defineCommand } from "../../command.ts";
import { queueArgument } from "../../queue-name.ts";

export const workQueueDelete = defineCommand({
  noun: "work-queue",
  verb: "delete",
  summary: "Delete a queue of a work pool; not its default queue.",
  arguments: { queue: queueArgument() },
  options: {},
  examples: ["sluice work-queue delete local/urgent"],
  async run({ arguments: { queue: params }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    await client.call(deleteWorkQueue, { params });
    const named = { work_pool: params.name, work_queue: params.queue };
    output.event({ event: "deleted", ...named }, `Work queue "${params.queue}" of "${params.name}" was deleted.`);
    return undefined;
  },
});
