/** `sluice deployment delete`: takes a deployment away. */
import { createClient } from "../../../client/api-client.ts";
import { deleteDeployment, readDeploymentByName } from "../../../protocol/deployments.ts";
import { defineCommand } from "../../command.ts";
import { deploymentArgument } from "../../deployment-name.ts";

export const deploymentDelete = defineCommand({
  noun: "deployment",
  verb: "delete",
  summary: "Delete a deployment with its schedules and scheduled runs; runs that have begun stay.",
  arguments: { deployment: deploymentArgument() },
  options: {},
  examples: ["sluice deployment delete csv-etl/daily"],
  async run({ arguments: { deployment: which }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const { id } = await client.call(readDeploymentByName, { params: which });
    await client.call(deleteDeployment, { params: { id } });
    const name = `${which.flow}/${which.deployment}`;
    output.event({ event: "deleted", id, name }, `Deployment "${name}" was deleted.`);
    return undefined;
  },
});
