/** `sluice schedule resume`. */
import { createClient } from "../../../client/api-client.ts";
import { updateDeploymentSchedule } from "../../../protocol/deployment-operations.ts";
import { defineCommand } from "../../command.ts";
import { deploymentArgument } from "../../deployment-name.ts";
import { scheduleArgument, scheduleOf } from "../../schedule-of.ts";

export const scheduleResume = defineCommand({
  noun: "schedule",
  verb: "resume",
  summary: "Let a schedule go on.",
  arguments: { deployment: deploymentArgument(), schedule: scheduleArgument() },
  options: {},
  examples: ["sluice schedule resume csv-etl/daily morning"],
  async run({ arguments: { deployment: which, schedule: named }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const { deployment, schedule } = await scheduleOf(client, which, named);
    const params = { id: deployment.id, schedule_id: schedule.id };
    await client.call(updateDeploymentSchedule, { params, body: { active: true } });
    output.event({ event: "resumed", schedule_id: schedule.id }, `Schedule "${named}" goes on.`);
    return undefined;
  },
});
