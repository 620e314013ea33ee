/** `sluice work-pool ls`: the work pools there are. */
import { createClient } from "../../../client/api-client.ts";
import { LIMITS } from "../../../protocol/limits.ts";
import { filterWorkPools } from "../../../protocol/work-pools.ts";
import { defineCommand } from "../../command.ts";
import { integer, withDefault } from "../../parameters.ts";
import { WORK_POOL_COLUMNS } from "./columns.ts";

export const workPoolLs = defineCommand({
  noun: "work-pool",
  verb: "ls",
  summary: "List work pools.",
  arguments: {},
  options: { limit: withDefault(integer("Pools to list.", { min: 1, max: LIMITS.pageRows, short: "l" }), 50) },
  examples: ["sluice work-pool ls"],
  async run({ options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const pools = await client.call(filterWorkPools, { body: { limit: options.limit } }, { idempotent: true });
    output.list(pools, WORK_POOL_COLUMNS, "There are no work pools. Create one with: sluice work-pool create <name>");
    return undefined;
  },
});
