/** `sluice limit ls`: the concurrency limits there are. */
import { createClient } from "../../../client/api-client.ts";
import { filterConcurrencyLimitsV2 } from "../../../protocol/concurrency-limits.ts";
import { LIMITS } from "../../../protocol/limits.ts";
import { defineCommand } from "../../command.ts";
import { integer, withDefault } from "../../parameters.ts";
import { LIMIT_COLUMNS } from "./columns.ts";

export const limitLs = defineCommand({
  noun: "limit",
  verb: "ls",
  summary: "List concurrency limits with the slots in use.",
  arguments: {},
  options: { limit: withDefault(integer("Limits to list.", { min: 1, max: LIMITS.pageRows, short: "l" }), 50) },
  examples: ["sluice limit ls"],
  async run({ options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const limits = await client.call(
      filterConcurrencyLimitsV2,
      { body: { limit: options.limit } },
      { idempotent: true },
    );
    output.list(limits, LIMIT_COLUMNS, "There are no limits. Create one with: sluice limit create NAME --limit 1");
    return undefined;
  },
});
