/** `sluice backfill start`: runs the times of a schedule in a range afterwards, or only counts them. */
import { createClient } from "../../../client/api-client.ts";
import { createBackfill, previewBackfill } from "../../../protocol/backfills.ts";
import { readDeploymentByName } from "../../../protocol/deployments.ts";
import { JsonObject } from "../../../protocol/flow-runs.ts";
import { LIMITS } from "../../../protocol/limits.ts";
import { defineCommand } from "../../command.ts";
import { deploymentArgument } from "../../deployment-name.ts";
import { CliError } from "../../errors.ts";
import { flowParameters } from "../../flow-parameter.ts";
import { flag, integer, required, text, withDefault } from "../../parameters.ts";
import { scheduleOf } from "../../schedule-of.ts";
import { time } from "../../schedule-options.ts";
import { BACKFILL_COLUMNS } from "./columns.ts";

export const backfillStart = defineCommand({
  noun: "backfill",
  verb: "start",
  summary: "Run the times of a schedule in a range afterwards, a few at a time.",
  arguments: { deployment: deploymentArgument() },
  options: {
    from: required(time("The first moment of the range.")),
    to: required(time("The last moment of the range.")),
    schedule: text("Slug or id of the schedule; needed when there are several.", { placeholder: "schedule" }),
    concurrency: withDefault(
      integer("Runs that may be open at the same time.", { min: 1, max: LIMITS.backfillRunsAtOnce }),
      1,
    ),
    param: flowParameters(),
    preview: flag("Only count the runs that would be made."),
  },
  examples: [
    "sluice backfill start csv-etl/daily --from 2026-01-01T00:00:00Z --to 2026-02-01T00:00:00Z --preview",
    "sluice backfill start csv-etl/daily --from 2026-01-01T00:00:00Z --to 2026-02-01T00:00:00Z --concurrency 4",
  ],
  async run({ arguments: { deployment: which }, options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const { id, schedules } = await client.call(readDeploymentByName, { params: which });
    if (options.schedule === undefined && schedules.length !== 1) {
      throw new CliError(`Deployment ${which.flow}/${which.deployment} has ${schedules.length} schedules, not one.`, {
        fix:
          schedules.length === 0
            ? `Add one first, active or not: sluice schedule create ${which.flow}/${which.deployment} --cron … --paused`
            : `Name one with --schedule: sluice schedule ls ${which.flow}/${which.deployment}`,
      });
    }
    const named = options.schedule === undefined ? null : await scheduleOf(client, which, options.schedule);
    const range = { start: options.from, end: options.to, ...(named ? { schedule_id: named.schedule.id } : {}) };
    if (options.preview) {
      const preview = await client.call(previewBackfill, { params: { id }, body: range });
      const times = [...preview.first, ...(preview.total > 10 ? ["…"] : []), ...preview.last];
      output.event({ event: "preview", ...preview }, `${preview.total} runs:\n${times.join("\n")}`);
      return undefined;
    }
    const parameters = JsonObject.parse(Object.fromEntries(options.param));
    const body = { ...range, concurrency: options.concurrency, parameters };
    output.item(await client.call(createBackfill, { params: { id }, body }), BACKFILL_COLUMNS);
    return undefined;
  },
});
