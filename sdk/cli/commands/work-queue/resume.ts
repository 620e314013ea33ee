/** `sluice work-queue resume`. */
import { createClient } from "../../../client/api-client.ts";
import { updateWorkQueue } from "../../../protocol/work-pools.ts";
import { defineCommand } from "../../command.ts";
import { queueArgument } from "../../queue-name.ts";

export const workQueueResume = defineCommand({
  noun: "work-queue",
  verb: "resume",
  summary: "Let a work queue go on after a pause.",
  arguments: { queue: queueArgument() },
  options: {},
  examples: ["sluice work-queue resume local/urgent"],
  async run({ arguments: { queue: params }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    await client.call(updateWorkQueue, { params, body: { is_paused: false } });
    const named = { work_pool: params.name, work_queue: params.queue };
    output.event({ event: "resumed", ...named }, `Work queue "${params.queue}" of "${params.name}" goes on.`);
    return undefined;
  },
});
