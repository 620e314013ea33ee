/** `sluice limit update`: changes a concurrency limit. */
import { createClient } from "../../../client/api-client.ts";
import { readConcurrencyLimitV2, updateConcurrencyLimitV2 } from "../../../protocol/concurrency-limits.ts";
import { defineCommand } from "../../command.ts";
import { nameOrIdArgument } from "../../name-or-id.ts";
import { choice, integer, text } from "../../parameters.ts";
import { LIMIT_COLUMNS } from "./columns.ts";
import { perSecond } from "./per-second.ts";

export const limitUpdate = defineCommand({
  noun: "limit",
  verb: "update",
  summary: "Change a concurrency limit. A limit of 0 lets nobody in until it is raised.",
  arguments: { limit: nameOrIdArgument("Name or id of the limit.") },
  options: {
    limit: integer("Slots that may be taken at the same time.", { short: "l" }),
    perSecond: perSecond(),
    active: choice("Whether it limits anything.", ["yes", "no"]),
    name: text("A new name; whoever holds slots keeps them.", { placeholder: "name" }),
  },
  examples: ["sluice limit update database --limit 0", "sluice limit update database --limit 10"],
  async run({ arguments: { limit: id_or_name }, options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const { id } = await client.call(readConcurrencyLimitV2, { params: { id_or_name } });
    await client.call(updateConcurrencyLimitV2, {
      params: { id_or_name: id },
      body: {
        ...(options.limit === undefined ? {} : { limit: options.limit }),
        ...(options.perSecond === undefined ? {} : { slot_decay_per_second: options.perSecond }),
        ...(options.active === undefined ? {} : { active: options.active === "yes" }),
        ...(options.name === undefined ? {} : { name: options.name }),
      },
    });
    output.item(await client.call(readConcurrencyLimitV2, { params: { id_or_name: id } }), LIMIT_COLUMNS);
    return undefined;
  },
});
