/** `sluice block inspect`: one block with its data. */
import { createClient } from "../../../client/api-client.ts";
import { type BlockDocument, readBlockDocumentByName } from "../../../protocol/block-documents.ts";
import { blockArgument } from "../../block-columns.ts";
import { defineCommand } from "../../command.ts";
import { wholeSeconds } from "../../flow-run-columns.ts";
import type { Column } from "../../output.ts";
import { flag } from "../../parameters.ts";

const FIELDS: readonly Column<BlockDocument>[] = [
  { title: "ID", value: (block) => block.id },
  { title: "Type", value: (block) => block.block_type?.slug },
  { title: "Name", value: (block) => block.name },
  { title: "Data", value: (block) => JSON.stringify(block.data) },
  { title: "Created", value: (block) => wholeSeconds(block.created) },
  { title: "Updated", value: (block) => wholeSeconds(block.updated) },
];

export const blockInspect = defineCommand({
  noun: "block",
  verb: "inspect",
  summary: "Show one block.",
  arguments: { block: blockArgument() },
  options: { secrets: flag("Show its secrets too, if the key may read them.") },
  examples: ["sluice block inspect secret/my-password"],
  async run({ arguments: { block }, options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const document = await client.call(readBlockDocumentByName, {
      params: { slug: block.type, block_document_name: block.name },
      query: { include_secrets: String(options.secrets) },
    });
    output.item(document, FIELDS);
    return undefined;
  },
});
