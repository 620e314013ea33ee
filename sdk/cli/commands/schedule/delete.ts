/** `sluice schedule delete`. */
import { createClient } from "../../../client/api-client.ts";
import { deleteDeploymentSchedule } from "../../../protocol/deployment-operations.ts";
import { defineCommand } from "../../command.ts";
import { deploymentArgument } from "../../deployment-name.ts";
import { scheduleArgument, scheduleOf } from "../../schedule-of.ts";

export const scheduleDelete = defineCommand({
  noun: "schedule",
  verb: "delete",
  summary: "Delete a schedule with the runs that it had ahead.",
  arguments: { deployment: deploymentArgument(), schedule: scheduleArgument() },
  options: {},
  examples: ["sluice schedule delete csv-etl/daily morning"],
  async run({ arguments: { deployment: which, schedule: named }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const { deployment, schedule } = await scheduleOf(client, which, named);
    await client.call(deleteDeploymentSchedule, { params: { id: deployment.id, schedule_id: schedule.id } });
    output.event({ event: "deleted", schedule_id: schedule.id }, `Schedule "${named}" was deleted.`);
    return undefined;
  },
});
