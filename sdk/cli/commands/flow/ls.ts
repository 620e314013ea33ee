/** `sluice flow ls`: the flows there are. */
import { createClient } from "../../../client/api-client.ts";
import { filterFlows } from "../../../protocol/flows.ts";
import { LIMITS } from "../../../protocol/limits.ts";
import { defineCommand } from "../../command.ts";
import { wholeSeconds } from "../../flow-run-columns.ts";
import { integer, withDefault } from "../../parameters.ts";

export const flowLs = defineCommand({
  noun: "flow",
  verb: "ls",
  summary: "List flows.",
  arguments: {},
  options: { limit: withDefault(integer("Flows to list.", { min: 1, max: LIMITS.pageRows, short: "l" }), 50) },
  examples: ["sluice flow ls"],
  async run({ options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const flows = await client.call(
      filterFlows,
      { body: { sort: "NAME_ASC", limit: options.limit } },
      { idempotent: true },
    );
    output.list(
      flows,
      [
        { title: "NAME", value: (flow) => flow.name },
        { title: "ID", value: (flow) => flow.id },
        { title: "CREATED", value: (flow) => wholeSeconds(flow.created) },
        { title: "TAGS", value: (flow) => flow.tags.join(", ") },
      ],
      "There are no flows. A flow is made by its first run or deployment.",
    );
    return undefined;
  },
});
