/** `sluice key ls`: the API keys there are. */
import { createClient } from "../../../client/api-client.ts";
import { filterKeys } from "../../../protocol/access.ts";
import { LIMITS } from "../../../protocol/limits.ts";
import { defineCommand } from "../../command.ts";
import { flag, integer, withDefault } from "../../parameters.ts";
import { KEY_COLUMNS } from "./columns.ts";

export const keyLs = defineCommand({
  noun: "key",
  verb: "ls",
  summary: "List API keys, the newest first.",
  arguments: {},
  options: {
    limit: withDefault(integer("Keys to list.", { min: 1, max: LIMITS.pageRows, short: "l" }), 50),
    all: flag("Those that were revoked too.", { short: "a" }),
  },
  examples: ["sluice key ls"],
  async run({ options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const keys = await client.call(
      filterKeys,
      { body: { keys: { include_revoked: options.all }, limit: options.limit } },
      { idempotent: true },
    );
    output.list(keys, KEY_COLUMNS, "There are no keys. Make one with: sluice key create NAME --role ROLE");
    return undefined;
  },
});
