/** `sluice flow inspect`: one flow with its deployments. */
import { createClient } from "../../../client/api-client.ts";
import { type Deployment, filterDeployments } from "../../../protocol/deployments.ts";
import type { Flow } from "../../../protocol/flows.ts";
import { defineCommand } from "../../command.ts";
import { wholeSeconds } from "../../flow-run-columns.ts";
import { nameOrIdArgument } from "../../name-or-id.ts";
import type { Column } from "../../output.ts";
import { flowNamed } from "./named.ts";

const FIELDS: readonly Column<Flow>[] = [
  { title: "ID", value: (flow) => flow.id },
  { title: "Name", value: (flow) => flow.name },
  { title: "Created", value: (flow) => wholeSeconds(flow.created) },
  { title: "Tags", value: (flow) => flow.tags.join(", ") },
  { title: "Labels", value: (flow) => JSON.stringify(flow.labels) },
];

const DEPLOYMENT_COLUMNS: readonly Column<Deployment>[] = [
  { title: "DEPLOYMENT", value: (one) => one.name },
  { title: "WORK POOL", value: (one) => one.work_pool_name },
  { title: "STATUS", value: (one) => (one.paused ? "PAUSED" : one.status) },
];

export const flowInspect = defineCommand({
  noun: "flow",
  verb: "inspect",
  summary: "Show one flow with its deployments.",
  arguments: { flow: nameOrIdArgument("Name or id of the flow.") },
  options: {},
  examples: ["sluice flow inspect daily-etl"],
  async run({ arguments: { flow: which }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const flow = await flowNamed(client, which);
    const deployments = await client.call(
      filterDeployments,
      { body: { flows: { id: { any_: [flow.id] } }, sort: "NAME_ASC" } },
      { idempotent: true },
    );
    if (output.format === "json") {
      output.item({ ...flow, deployments }, []);
      return undefined;
    }
    output.item(flow, FIELDS);
    output.note("");
    output.list(deployments, DEPLOYMENT_COLUMNS, "It has no deployments.");
    return undefined;
  },
});
