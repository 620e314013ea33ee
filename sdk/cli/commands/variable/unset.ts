/** `sluice variable unset`: takes a variable away. */
import { createClient } from "../../../client/api-client.ts";
import { deleteVariableByName } from "../../../protocol/variables.ts";
import { defineCommand } from "../../command.ts";
import { required, text } from "../../parameters.ts";

export const variableUnset = defineCommand({
  noun: "variable",
  verb: "unset",
  summary: "Delete a variable.",
  arguments: { name: required(text("Name of the variable.", { placeholder: "name" })) },
  options: {},
  examples: ["sluice variable unset region"],
  async run({ arguments: { name }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    await client.call(deleteVariableByName, { params: { name } });
    output.event({ event: "deleted", name }, `Variable "${name}" was deleted.`);
    return undefined;
  },
});
