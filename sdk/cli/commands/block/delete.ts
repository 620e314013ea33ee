/** `sluice block delete`: deletes one block. */
import { createClient } from "../../../client/api-client.ts";
import { deleteBlockDocument, readBlockDocumentByName } from "../../../protocol/block-documents.ts";
import { BLOCK_COLUMNS, blockArgument } from "../../block-columns.ts";
import { defineCommand } from "../../command.ts";

export const blockDelete = defineCommand({
  noun: "block",
  verb: "delete",
  summary: "Delete a block.",
  arguments: { block: blockArgument() },
  options: {},
  examples: ["sluice block delete secret/my-password"],
  async run({ arguments: { block }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const document = await client.call(readBlockDocumentByName, {
      params: { slug: block.type, block_document_name: block.name },
    });
    await client.call(deleteBlockDocument, { params: { id: document.id } });
    output.item(document, BLOCK_COLUMNS);
    output.note("It was deleted.");
    return undefined;
  },
});
