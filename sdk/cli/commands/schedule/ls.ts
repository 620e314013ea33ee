/** `sluice schedule ls`: the schedules of a deployment. */
import { createClient } from "../../../client/api-client.ts";
import { readDeploymentByName } from "../../../protocol/deployments.ts";
import { defineCommand } from "../../command.ts";
import { deploymentArgument } from "../../deployment-name.ts";
import { SCHEDULE_COLUMNS } from "../../schedule-columns.ts";

export const scheduleLs = defineCommand({
  noun: "schedule",
  verb: "ls",
  summary: "List the schedules of a deployment.",
  arguments: { deployment: deploymentArgument() },
  options: {},
  examples: ["sluice schedule ls csv-etl/daily"],
  async run({ arguments: { deployment: which }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const { schedules } = await client.call(readDeploymentByName, { params: which });
    output.list(schedules, SCHEDULE_COLUMNS, "It has no schedules.");
    return undefined;
  },
});
