/** `sluice backfill cancel`. */
import { createClient } from "../../../client/api-client.ts";
import { cancelBackfill } from "../../../protocol/backfills.ts";
import { defineCommand } from "../../command.ts";
import { required, uuid } from "../../parameters.ts";
import { BACKFILL_COLUMNS } from "./columns.ts";

export const backfillCancel = defineCommand({
  noun: "backfill",
  verb: "cancel",
  summary: "Make no more runs of a backfill, and cancel those that are open.",
  arguments: { backfill: required(uuid("Id of the backfill.", "sluice backfill ls")) },
  options: {},
  examples: ["sluice backfill cancel 019a9d3e-0000-7000-8000-000000000000"],
  async run({ arguments: { backfill: id }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    output.item(await client.call(cancelBackfill, { params: { id } }), BACKFILL_COLUMNS);
    return undefined;
  },
});
