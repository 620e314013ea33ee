/** `sluice backfill ls`: the backfills of a deployment. */
import { createClient } from "../../../client/api-client.ts";
import { readBackfills } from "../../../protocol/backfills.ts";
import { readDeploymentByName } from "../../../protocol/deployments.ts";
import { defineCommand } from "../../command.ts";
import { deploymentArgument } from "../../deployment-name.ts";
import { BACKFILL_COLUMNS } from "./columns.ts";

export const backfillLs = defineCommand({
  noun: "backfill",
  verb: "ls",
  summary: "List the backfills of a deployment, the newest first.",
  arguments: { deployment: deploymentArgument() },
  options: {},
  examples: ["sluice backfill ls csv-etl/daily"],
  async run({ arguments: { deployment: which }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const { id } = await client.call(readDeploymentByName, { params: which });
    output.list(await client.call(readBackfills, { params: { id } }), BACKFILL_COLUMNS, "It has no backfills.");
    return undefined;
  },
});
