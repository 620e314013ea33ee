/** `sluice work-queue pause`. */
import { createClient } from "../../../client/api-client.ts";
import { updateWorkQueue } from "../../../protocol/work-pools.ts";
import { defineCommand } from "../../command.ts";
import { queueArgument } from "../../queue-name.ts";

export const workQueuePause = defineCommand({
  noun: "work-queue",
  verb: "pause",
  summary: "Let a work queue rest: its runs wait, those that run go on.",
  arguments: { queue: queueArgument() },
  options: {},
  examples: ["sluice work-queue pause local/urgent"],
  async run({ arguments: { queue: params }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    await client.call(updateWorkQueue, { params, body: { is_paused: true } });
    const named = { work_pool: params.name, work_queue: params.queue };
    output.event(
      { event: "paused", ...named },
      `Work queue "${params.queue}" of "${params.name}" rests: its runs wait until it is resumed.`,
    );
    return undefined;
  },
});
