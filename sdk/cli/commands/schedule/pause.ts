/** `sluice schedule pause`. */
import { createClient } from "../../../client/api-client.ts";
import { updateDeploymentSchedule } from "../../../protocol/deployment-operations.ts";
import { defineCommand } from "../../command.ts";
import { deploymentArgument } from "../../deployment-name.ts";
import { scheduleArgument, scheduleOf } from "../../schedule-of.ts";

export const schedulePause = defineCommand({
  noun: "schedule",
  verb: "pause",
  summary: "Let a schedule rest; the runs it had ahead are removed.",
  arguments: { deployment: deploymentArgument(), schedule: scheduleArgument() },
  options: {},
  examples: ["sluice schedule pause csv-etl/daily morning"],
  async run({ arguments: { deployment: which, schedule: named }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const { deployment, schedule } = await scheduleOf(client, which, named);
    const params = { id: deployment.id, schedule_id: schedule.id };
    await client.call(updateDeploymentSchedule, { params, body: { active: false } });
    output.event({ event: "paused", schedule_id: schedule.id }, `Schedule "${named}" rests.`);
    return undefined;
  },
});
