/** `sluice deployment resume`. */
import { createClient } from "../../../client/api-client.ts";
import { resumeDeployment } from "../../../protocol/deployment-operations.ts";
import { readDeploymentByName } from "../../../protocol/deployments.ts";
import { defineCommand } from "../../command.ts";
import { deploymentArgument } from "../../deployment-name.ts";

export const deploymentResume = defineCommand({
  noun: "deployment",
  verb: "resume",
  summary: "Let the schedules of a deployment go on after a pause.",
  arguments: { deployment: deploymentArgument() },
  options: {},
  examples: ["sluice deployment resume csv-etl/daily"],
  async run({ arguments: { deployment: which }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const { id } = await client.call(readDeploymentByName, { params: which });
    await client.call(resumeDeployment, { params: { id } });
    const name = `${which.flow}/${which.deployment}`;
    output.event({ event: "resumed", id, name }, `Deployment "${name}" goes on.`);
    return undefined;
  },
});
