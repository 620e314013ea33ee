/** `sluice variable get`: a variable's value, for scripts. */
import { createClient } from "../../../client/api-client.ts";
import { readVariableByName } from "../../../protocol/variables.ts";
import { defineCommand } from "../../command.ts";
import { required, text } from "../../parameters.ts";

export const variableGet = defineCommand({
  noun: "variable",
  verb: "get",
  summary: "Print a variable's value: text as it stands, anything else as JSON.",
  arguments: { name: required(text("Name of the variable.", { placeholder: "name" })) },
  options: {},
  examples: ["sluice variable get region"],
  async run({ arguments: { name }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const { value } = await client.call(readVariableByName, { params: { name } });
    output.event(value, typeof value === "string" ? value : JSON.stringify(value));
    return undefined;
  },
});
