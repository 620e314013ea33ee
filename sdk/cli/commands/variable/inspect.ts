/** `sluice variable inspect`: all there is to know of one variable. */
import { createClient } from "../../../client/api-client.ts";
import { readVariableByName } from "../../../protocol/variables.ts";
import { defineCommand } from "../../command.ts";
import { wholeSeconds } from "../../flow-run-columns.ts";
import { required, text } from "../../parameters.ts";

export const variableInspect = defineCommand({
  noun: "variable",
  verb: "inspect",
  summary: "Show one variable.",
  arguments: { name: required(text("Name of the variable.", { placeholder: "name" })) },
  options: {},
  examples: ["sluice variable inspect region"],
  async run({ arguments: { name }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    output.item(await client.call(readVariableByName, { params: { name } }), [
      { title: "ID", value: (variable) => variable.id },
      { title: "Name", value: (variable) => variable.name },
      { title: "Value", value: (variable) => JSON.stringify(variable.value) },
      { title: "Tags", value: (variable) => variable.tags.join(", ") },
      { title: "Created", value: (variable) => wholeSeconds(variable.created) },
      { title: "Updated", value: (variable) => wholeSeconds(variable.updated) },
    ]);
    return undefined;
  },
});
