/** `sluice flow-run why`: why a run is not running. */
import { createClient } from "../../../client/api-client.ts";
import { readWhy } from "../../../protocol/why.ts";
import { defineCommand } from "../../command.ts";
import { flowRunIdArgument } from "../../flow-run-columns.ts";

export const flowRunWhy = defineCommand({
  noun: "flow-run",
  verb: "why",
  summary: "Say why a flow run is not running.",
  arguments: { id: flowRunIdArgument() },
  options: {},
  examples: ["sluice flow-run why 019ab5c2-…"],
  async run({ arguments: { id }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const why = await client.call(readWhy, { params: { id } });
    if (output.format === "json") output.item(why, []);
    else for (const { message } of why.reasons) output.note(message);
    return undefined;
  },
});
