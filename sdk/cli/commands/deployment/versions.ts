/** `sluice deployment versions`: what a deployment was before. */
import { createClient } from "../../../client/api-client.ts";
import { type DeploymentVersion, readDeploymentVersions } from "../../../protocol/deployment-versions.ts";
import { readDeploymentByName } from "../../../protocol/deployments.ts";
import { LIMITS } from "../../../protocol/limits.ts";
import { defineCommand } from "../../command.ts";
import { deploymentArgument } from "../../deployment-name.ts";
import { wholeSeconds } from "../../flow-run-columns.ts";
import type { Column } from "../../output.ts";
import { integer, withDefault } from "../../parameters.ts";

const COLUMNS: readonly Column<DeploymentVersion>[] = [
  { title: "NUMBER", value: ({ number }) => String(number) },
  { title: "CREATED", value: ({ created }) => wholeSeconds(created) },
  { title: "VERSION", value: ({ content }) => content.details.version },
  { title: "ENTRYPOINT", value: ({ content }) => content.details.entrypoint },
  { title: "WORK POOL", value: ({ content }) => content.work_pool_name },
];

export const deploymentVersions = defineCommand({
  noun: "deployment",
  verb: "versions",
  summary: "List what a deployment was, the newest version first.",
  arguments: { deployment: deploymentArgument() },
  options: { limit: withDefault(integer("Versions to list.", { min: 1, max: LIMITS.pageRows, short: "l" }), 20) },
  examples: ["sluice deployment versions csv-etl/daily"],
  async run({ arguments: { deployment: which }, options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const { id } = await client.call(readDeploymentByName, { params: which });
    const versions = await client.call(readDeploymentVersions, { params: { id }, query: { limit: options.limit } });
    output.list(versions, COLUMNS, "It has no versions yet: it was made by an earlier Sluice. Deploy it again.");
    return undefined;
  },
});
