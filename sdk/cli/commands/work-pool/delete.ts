/** `sluice work-pool delete`. */
import { createClient } from "../../../client/api-client.ts";
import { deleteWorkPool } from "../../../protocol/work-pools.ts";
import { defineCommand } from "../../command.ts";
import { poolArgument } from "./pool-argument.ts";

export const workPoolDelete = defineCommand({
  noun: "work-pool",
  verb: "delete",
  summary: "Delete a work pool with its queues.",
  arguments: { pool: poolArgument() },
  options: {},
  examples: ["sluice work-pool delete local"],
  async run({ arguments: { pool: name }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    await client.call(deleteWorkPool, { params: { name } });
    output.event({ event: "deleted", work_pool: name }, `Work pool "${name}" was deleted.`);
    return undefined;
  },
});
