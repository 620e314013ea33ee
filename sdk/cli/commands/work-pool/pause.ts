/** `sluice work-pool pause`. */
import { createClient } from "../../../client/api-client.ts";
import { updateWorkPool } from "../../../protocol/work-pools.ts";
import { defineCommand } from "../../command.ts";
import { poolArgument } from "./pool-argument.ts";

export const workPoolPause = defineCommand({
  noun: "work-pool",
  verb: "pause",
  summary: "Let a work pool rest: its runs wait, those that run go on.",
  arguments: { pool: poolArgument() },
  options: {},
  examples: ["sluice work-pool pause local"],
  async run({ arguments: { pool: name }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    await client.call(updateWorkPool, { params: { name }, body: { is_paused: true } });
    output.event({ event: "paused", work_pool: name }, `Work pool "${name}" rests: its runs wait until it is resumed.`);
    return undefined;
  },
});
