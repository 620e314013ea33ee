/** `sluice deployment ls`: the deployments there are. */
import { createClient } from "../../../client/api-client.ts";
import { type Deployment, filterDeployments } from "../../../protocol/deployments.ts";
import { filterFlows } from "../../../protocol/flows.ts";
import { LIMITS } from "../../../protocol/limits.ts";
import { defineCommand } from "../../command.ts";
import { integer, withDefault } from "../../parameters.ts";

export const deploymentLs = defineCommand({
  noun: "deployment",
  verb: "ls",
  summary: "List deployments.",
  arguments: {},
  options: { limit: withDefault(integer("Deployments to list.", { min: 1, max: LIMITS.pageRows, short: "l" }), 50) },
  examples: ["sluice deployment ls"],
  async run({ options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const how = { idempotent: true };
    const deployments = await client.call(filterDeployments, { body: { sort: "NAME_ASC", limit: options.limit } }, how);
    const flowIds = [...new Set(deployments.map((deployment) => deployment.flow_id))];
    const flows =
      flowIds.length === 0 ? [] : await client.call(filterFlows, { body: { flows: { id: { any_: flowIds } } } }, how);
    const flowName = (one: Deployment): string => flows.find((flow) => flow.id === one.flow_id)?.name ?? one.flow_id;
    output.list(
      deployments,
      [
        { title: "NAME", value: (one) => `${flowName(one)}/${one.name}` },
        { title: "WORK POOL", value: (one) => one.work_pool_name },
        { title: "STATUS", value: (one) => (one.paused ? "PAUSED" : one.status) },
        { title: "ENTRYPOINT", value: (one) => one.entrypoint },
        { title: "SCHEDULES", value: (one) => one.schedules.length },
      ],
      "There are no deployments.",
    );
    return undefined;
  },
});
