/** `sluice schedule create`: adds a schedule to a deployment. */
import { createClient } from "../../../client/api-client.ts";
import { createDeploymentSchedules } from "../../../protocol/deployment-operations.ts";
import { readDeploymentByName } from "../../../protocol/deployments.ts";
import { JsonObject } from "../../../protocol/flow-runs.ts";
import { defineCommand } from "../../command.ts";
import { deploymentArgument } from "../../deployment-name.ts";
import { flowParameters } from "../../flow-parameter.ts";
import { flag, text } from "../../parameters.ts";
import { SCHEDULE_COLUMNS } from "../../schedule-columns.ts";
import { POLICY, policyChangeOf, TIMING, timingOf } from "../../schedule-options.ts";

export const scheduleCreate = defineCommand({
  noun: "schedule",
  verb: "create",
  summary: "Add a schedule to a deployment.",
  arguments: { deployment: deploymentArgument() },
  options: {
    ...TIMING,
    slug: text("A name for the schedule, unique in its deployment.", { placeholder: "name" }),
    param: flowParameters(),
    paused: flag("Add it, but let it rest."),
    ...POLICY,
  },
  examples: [
    'sluice schedule create csv-etl/daily --cron "0 6 * * *" --timezone Europe/London --slug morning',
    "sluice schedule create csv-etl/daily --interval PT15M --overlap SKIP",
    "sluice schedule create csv-etl/daily --at 2026-12-24T18:00:00Z",
  ],
  async run({ arguments: { deployment: which }, options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const schedule = timingOf(options);
    const policy = policyChangeOf(options);
    const { id } = await client.call(readDeploymentByName, { params: which });
    const parameters = JsonObject.parse(Object.fromEntries(options.param));
    const body = [
      {
        schedule,
        active: !options.paused,
        parameters,
        ...(options.slug === undefined ? {} : { slug: options.slug }),
        ...(policy === null ? {} : { policy }),
      },
    ];
    output.list(await client.call(createDeploymentSchedules, { params: { id }, body }), SCHEDULE_COLUMNS, "");
    return undefined;
  },
});
