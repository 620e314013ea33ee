/** `sluice limit delete`. */
import { createClient } from "../../../client/api-client.ts";
import { deleteConcurrencyLimitV2 } from "../../../protocol/concurrency-limits.ts";
import { defineCommand } from "../../command.ts";
import { nameOrIdArgument } from "../../name-or-id.ts";

export const limitDelete = defineCommand({
  noun: "limit",
  verb: "delete",
  summary: "Delete a concurrency limit. Whoever holds its slots loses them.",
  arguments: { limit: nameOrIdArgument("Name or id of the limit.") },
  options: {},
  examples: ["sluice limit delete database"],
  async run({ arguments: { limit }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    await client.call(deleteConcurrencyLimitV2, { params: { id_or_name: limit } });
    output.event({ event: "deleted", limit }, `Limit "${limit}" was deleted.`);
    return undefined;
  },
});
