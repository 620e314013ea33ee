/** `sluice work-pool resume`. */
import { createClient } from "../../../client/api-client.ts";
import { updateWorkPool } from "../../../protocol/work-pools.ts";
import { defineCommand } from "../../command.ts";
import { poolArgument } from "./pool-argument.ts";

export const workPoolResume = defineCommand({
  noun: "work-pool",
  verb: "resume",
  summary: "Let a work pool go on after a pause.",
  arguments: { pool: poolArgument() },
  options: {},
  examples: ["sluice work-pool resume local"],
  async run({ arguments: { pool: name }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    await client.call(updateWorkPool, { params: { name }, body: { is_paused: false } });
    output.event({ event: "resumed", work_pool: name }, `Work pool "${name}" goes on.`);
    return undefined;
  },
});
