/** `sluice block create`: saves a block from JSON. */
import { readFileSync } from "node:fs";
import { createClient } from "../../../client/api-client.ts";
import { saveBlock } from "../../../client/blocks.ts";
import { BLOCK_COLUMNS, blockArgument } from "../../block-columns.ts";
import { defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { flag, json, text } from "../../parameters.ts";

export const blockCreate = defineCommand({
  noun: "block",
  verb: "create",
  summary: "Save a block of a type that is registered.",
  arguments: { block: blockArgument() },
  options: {
    data: json("The block's fields as a JSON object. Secrets typed here stay in the shell's history; see --file."),
    file: text("A file with the fields as a JSON object; - is standard input.", { placeholder: "path", short: "f" }),
    overwrite: flag("Replace the data of the block if it is there already."),
  },
  examples: [
    "sluice block create secret/my-password --file password.json",
    'sluice block create local-file-system/results --data \'{"basepath":"/srv/results"}\'',
  ],
  async run({ arguments: { block }, options, connection, output }) {
    const data = readData(options.data, options.file);
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const saved = await saveBlock(client, block, data, { overwrite: options.overwrite });
    output.item(saved, BLOCK_COLUMNS);
    return undefined;
  },
});

function readData(given: unknown, file: string | undefined): Record<string, unknown> {
  if ((given === undefined) === (file === undefined)) {
    throw new CliError("The block's fields have to be given once.", { fix: "Give either --data JSON or --file PATH." });
  }
  const value = file === undefined ? given : readJsonFile(file);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new CliError("The block's fields are not a JSON object.", { fix: 'Give an object, as {"value": "…"}.' });
}

/** The content of the file is repeated in no error: it may be secret. */
function readJsonFile(file: string): unknown {
  let content: string;
  try {
    content = readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(`${file} cannot be read: ${reason}.`, { fix: "Give a file with a JSON object.", cause });
  }
  try {
    return JSON.parse(content);
  } catch {
    throw new CliError(`${file} does not hold JSON.`, { fix: "Give a file with a JSON object." });
  }
}
