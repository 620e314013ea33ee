/** `sluice limit reset`. */
import { createClient } from "../../../client/api-client.ts";
import { resetConcurrencyLimit } from "../../../protocol/concurrency-limits.ts";
import { defineCommand } from "../../command.ts";
import { nameOrIdArgument } from "../../name-or-id.ts";

export const limitReset = defineCommand({
  noun: "limit",
  verb: "reset",
  summary: "Free all slots of a concurrency limit. Whoever holds them loses them.",
  arguments: { limit: nameOrIdArgument("Name or id of the limit.") },
  options: {},
  examples: ["sluice limit reset database"],
  async run({ arguments: { limit }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    await client.call(resetConcurrencyLimit, { params: { id_or_name: limit } });
    output.event({ event: "reset", limit }, `Limit "${limit}" was reset.`);
    return undefined;
  },
});
