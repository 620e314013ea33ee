/** `sluice variable set`: makes a variable, or changes it. */
import { createClient } from "../../../client/api-client.ts";
import { SluiceError } from "../../../protocol/errors.ts";
import { createVariable, readVariableByName, updateVariableByName } from "../../../protocol/variables.ts";
import { defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { EXIT } from "../../exit-codes.ts";
import { jsonOrText } from "../../json-or-text.ts";
import { flag, repeated, required, text } from "../../parameters.ts";
import { VARIABLE_FIELDS } from "./fields.ts";

export const variableSet = defineCommand({
  noun: "variable",
  verb: "set",
  summary: "Set a variable.",
  arguments: {
    name: required(text("Name of the variable.", { placeholder: "name" })),
    value: required(text("Its value: JSON, or else text.", { placeholder: "value" })),
  },
  options: {
    overwrite: flag("Change the variable if there is one of the name."),
    tag: repeated(text("A tag; may be given several times. Replaces the tags there are.", { placeholder: "tag" })),
  },
  examples: ["sluice variable set region eu-west-1", "sluice variable set limits '{\"rows\": 100}' --overwrite"],
  async run({ arguments: { name, value: given }, options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const value = jsonOrText(given);
    const tags = options.tag.length === 0 ? {} : { tags: options.tag };
    try {
      const made = await client.call(createVariable, { body: { name, value, ...tags } });
      output.item(made, VARIABLE_FIELDS);
      return undefined;
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code !== "conflict") throw error;
      if (!options.overwrite) {
        throw new CliError(`There is a variable "${name}" already.`, {
          fix: "Add --overwrite to change it.",
          code: "conflict",
          exitCode: EXIT.failed,
          cause: error,
        });
      }
    }
    await client.call(updateVariableByName, { params: { name }, body: { value, ...tags } });
    output.item(await client.call(readVariableByName, { params: { name } }), VARIABLE_FIELDS);
    return undefined;
  },
});
