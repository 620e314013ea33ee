/** `sluice schedule policy`: shows, or sets, what a schedule does beyond Prefect's. */
import { createClient } from "../../../client/api-client.ts";
import { readSchedulePolicy, type SchedulePolicy, setSchedulePolicy } from "../../../protocol/schedule-policies.ts";
import { defineCommand } from "../../command.ts";
import { deploymentArgument } from "../../deployment-name.ts";
import type { Column } from "../../output.ts";
import { scheduleArgument, scheduleOf } from "../../schedule-of.ts";
import { POLICY, policyChangeOf } from "../../schedule-options.ts";

const FIELDS: readonly Column<SchedulePolicy>[] = [
  { title: "Overlap", value: (one) => one.overlap },
  { title: "Catch-up", value: (one) => one.catch_up },
  { title: "Catch-up window", value: (one) => `${one.catch_up_window} s` },
  { title: "Jitter", value: (one) => `${one.jitter} s` },
  { title: "Start", value: (one) => one.start_at },
  { title: "End", value: (one) => one.end_at },
];

export const schedulePolicy = defineCommand({
  noun: "schedule",
  verb: "policy",
  summary: "Show or change how a schedule deals with overlap, missed times, jitter, start and end.",
  arguments: { deployment: deploymentArgument(), schedule: scheduleArgument() },
  options: POLICY,
  examples: ["sluice schedule policy csv-etl/daily morning --overlap BUFFER_ONE --catch-up LAST"],
  async run({ arguments: { deployment: which, schedule: named }, options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const { deployment, schedule } = await scheduleOf(client, which, named);
    const params = { id: deployment.id, schedule_id: schedule.id };
    const known = await client.call(readSchedulePolicy, { params });
    const change = policyChangeOf(options);
    const said = Object.fromEntries(Object.entries(change ?? {}).filter(([, value]) => value !== undefined));
    const policy =
      change === null ? known : await client.call(setSchedulePolicy, { params, body: { ...known, ...said } });
    output.item(policy, FIELDS);
    return undefined;
  },
});
