/** `sluice limit create`: makes a concurrency limit, or a rate limit. */
import { createClient } from "../../../client/api-client.ts";
import { createConcurrencyLimitV2 } from "../../../protocol/concurrency-limits.ts";
import { defineCommand } from "../../command.ts";
import { flag, integer, required, text } from "../../parameters.ts";
import { LIMIT_COLUMNS } from "./columns.ts";
import { perSecond } from "./per-second.ts";

export const limitCreate = defineCommand({
  noun: "limit",
  verb: "create",
  summary: "Create a concurrency limit, or a rate limit.",
  arguments: { name: required(text("Name of the limit.", { placeholder: "name" })) },
  options: {
    limit: required(integer("Slots that may be taken at the same time.", { short: "l" })),
    perSecond: perSecond(),
    inactive: flag("Limit nothing until it is made active."),
  },
  examples: ["sluice limit create database --limit 10", "sluice limit create some-api --limit 5 --per-second 0.5"],
  async run({ arguments: { name }, options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const made = await client.call(createConcurrencyLimitV2, {
      body: {
        name,
        limit: options.limit,
        active: !options.inactive,
        ...(options.perSecond === undefined ? {} : { slot_decay_per_second: options.perSecond }),
      },
    });
    output.item(made, LIMIT_COLUMNS);
    return undefined;
  },
});
