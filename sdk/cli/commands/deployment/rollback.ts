/** `sluice deployment rollback`: makes a deployment what it was. */
import { createClient } from "../../../client/api-client.ts";
import { readDeploymentVersions, restoreDeploymentVersion } from "../../../protocol/deployment-versions.ts";
import { readDeploymentByName } from "../../../protocol/deployments.ts";
import { defineCommand } from "../../command.ts";
import { deploymentArgument } from "../../deployment-name.ts";
import { CliError } from "../../errors.ts";
import { EXIT } from "../../exit-codes.ts";
import { integer } from "../../parameters.ts";

export const deploymentRollback = defineCommand({
  noun: "deployment",
  verb: "rollback",
  summary: "Make a deployment what it was in an earlier version.",
  arguments: { deployment: deploymentArgument() },
  options: { to: integer("The version's number; the one before the newest unless given.", { min: 1 }) },
  examples: ["sluice deployment rollback csv-etl/daily", "sluice deployment rollback csv-etl/daily --to 3"],
  async run({ arguments: { deployment: which }, options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const { id } = await client.call(readDeploymentByName, { params: which });
    const newest = await client.call(readDeploymentVersions, { params: { id }, query: { limit: 2 } });
    const number = options.to ?? newest[1]?.number;
    if (number === undefined) {
      throw new CliError(`Deployment ${which.flow}/${which.deployment} has no earlier version.`, {
        fix: `Look at what there is: sluice deployment versions ${which.flow}/${which.deployment}`,
        code: "refused",
        exitCode: EXIT.failed,
      });
    }
    const restored = await client.call(restoreDeploymentVersion, { params: { id, number } });
    output.event(
      { event: "restored", number, deployment: restored },
      `Deployment ${which.flow}/${which.deployment} is as it was in version ${number}.`,
    );
    return undefined;
  },
});
