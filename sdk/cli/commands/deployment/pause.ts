/** `sluice deployment pause`. */
import { createClient } from "../../../client/api-client.ts";
import { pauseDeployment } from "../../../protocol/deployment-operations.ts";
import { readDeploymentByName } from "../../../protocol/deployments.ts";
import { defineCommand } from "../../command.ts";
import { deploymentArgument } from "../../deployment-name.ts";

export const deploymentPause = defineCommand({
  noun: "deployment",
  verb: "pause",
  summary: "Let all schedules of a deployment rest; it can be run by hand meanwhile.",
  arguments: { deployment: deploymentArgument() },
  options: {},
  examples: ["sluice deployment pause csv-etl/daily"],
  async run({ arguments: { deployment: which }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const { id } = await client.call(readDeploymentByName, { params: which });
    await client.call(pauseDeployment, { params: { id } });
    const name = `${which.flow}/${which.deployment}`;
    output.event({ event: "paused", id, name }, `Deployment "${name}" rests: its schedules make no runs.`);
    return undefined;
  },
});
