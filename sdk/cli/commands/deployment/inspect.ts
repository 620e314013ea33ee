/** `sluice deployment inspect`: one deployment with its schedules. */
import { createClient } from "../../../client/api-client.ts";
import { type Deployment, readDeploymentByName } from "../../../protocol/deployments.ts";
import { defineCommand } from "../../command.ts";
import { deploymentArgument } from "../../deployment-name.ts";
import { wholeSeconds } from "../../flow-run-columns.ts";
import type { Column } from "../../output.ts";
import { SCHEDULE_COLUMNS } from "../../schedule-columns.ts";

const FIELDS: readonly Column<Deployment>[] = [
  { title: "ID", value: (one) => one.id },
  { title: "Name", value: (one) => one.name },
  { title: "Status", value: (one) => (one.paused ? "PAUSED" : one.status) },
  { title: "Description", value: (one) => one.description },
  { title: "Entrypoint", value: (one) => one.entrypoint },
  { title: "Path", value: (one) => one.path },
  { title: "Work pool", value: (one) => one.work_pool_name },
  { title: "Work queue", value: (one) => one.work_queue_name },
  {
    title: "Concurrency limit",
    value: ({ global_concurrency_limit: limit, concurrency_options: options }) =>
      limit &&
      `${limit.limit} (${limit.name}, ${limit.active_slots} in use, ${options?.collision_strategy ?? "ENQUEUE"}, ` +
        `grace ${options?.grace_period_seconds ?? 300} s)`,
  },
  { title: "Parameters", value: (one) => JSON.stringify(one.parameters) },
  { title: "Job variables", value: (one) => JSON.stringify(one.job_variables) },
  { title: "Version", value: (one) => one.version },
  { title: "Tags", value: (one) => one.tags.join(", ") },
  { title: "Created", value: (one) => wholeSeconds(one.created) },
  { title: "Updated", value: (one) => wholeSeconds(one.updated) },
];

export const deploymentInspect = defineCommand({
  noun: "deployment",
  verb: "inspect",
  summary: "Show one deployment with its schedules.",
  arguments: { deployment: deploymentArgument() },
  options: {},
  examples: ["sluice deployment inspect csv-etl/daily"],
  async run({ arguments: { deployment: which }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const deployment = await client.call(readDeploymentByName, { params: which });
    output.item(deployment, FIELDS);
    if (output.format === "json") return undefined;
    output.note("");
    output.list(deployment.schedules, SCHEDULE_COLUMNS, "It has no schedules.");
    return undefined;
  },
});
