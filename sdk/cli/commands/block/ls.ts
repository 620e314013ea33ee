/** `sluice block ls`: the blocks there are, without their secrets. */
import { createClient } from "../../../client/api-client.ts";
import { filterBlockDocuments } from "../../../protocol/block-documents.ts";
import { LIMITS } from "../../../protocol/limits.ts";
import { BLOCK_COLUMNS } from "../../block-columns.ts";
import { defineCommand } from "../../command.ts";
import { integer, repeated, text, withDefault } from "../../parameters.ts";

export const blockLs = defineCommand({
  noun: "block",
  verb: "ls",
  summary: "List blocks.",
  arguments: {},
  options: {
    type: repeated(text("Only blocks of the type with this slug.", { placeholder: "slug", short: "t" })),
    limit: withDefault(integer("Blocks to list.", { min: 1, max: LIMITS.pageRows, short: "l" }), 50),
  },
  examples: ["sluice block ls", "sluice block ls --type secret"],
  async run({ options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const types = options.type.length > 0 ? { slug: { any_: options.type } } : null;
    const blocks = await client.call(
      filterBlockDocuments,
      { body: { block_types: types, sort: "BLOCK_TYPE_AND_NAME_ASC", limit: options.limit } },
      { idempotent: true },
    );
    output.list(blocks, BLOCK_COLUMNS, "There are no blocks. Save one with: sluice block create <type/name>");
    return undefined;
  },
});
