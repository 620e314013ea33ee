/** `sluice variable ls`: the variables there are. */
import { createClient } from "../../../client/api-client.ts";
import { LIMITS } from "../../../protocol/limits.ts";
import { filterVariables } from "../../../protocol/variables.ts";
import { defineCommand } from "../../command.ts";
import { integer, withDefault } from "../../parameters.ts";
import { VARIABLE_FIELDS } from "./fields.ts";

export const variableLs = defineCommand({
  noun: "variable",
  verb: "ls",
  summary: "List variables.",
  arguments: {},
  options: { limit: withDefault(integer("Variables to list.", { min: 1, max: LIMITS.pageRows, short: "l" }), 50) },
  examples: ["sluice variable ls"],
  async run({ options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const variables = await client.call(
      filterVariables,
      { body: { sort: "NAME_ASC", limit: options.limit } },
      { idempotent: true },
    );
    output.list(variables, VARIABLE_FIELDS, "There are no variables. Set one with: sluice variable set NAME VALUE");
    return undefined;
  },
});
