/** `sluice block-type ls`: the types that blocks can have. */
import { createClient } from "../../../client/api-client.ts";
import { type BlockType, filterBlockTypes } from "../../../protocol/block-types.ts";
import { LIMITS } from "../../../protocol/limits.ts";
import { defineCommand } from "../../command.ts";
import type { Column } from "../../output.ts";
import { integer, withDefault } from "../../parameters.ts";

const COLUMNS: readonly Column<BlockType>[] = [
  { title: "SLUG", value: (type) => type.slug },
  { title: "NAME", value: (type) => type.name },
  { title: "SYSTEM", value: (type) => (type.is_protected ? "yes" : "") },
  { title: "ID", value: (type) => type.id },
];

export const blockTypeLs = defineCommand({
  noun: "block-type",
  verb: "ls",
  summary: "List the types that blocks can have.",
  arguments: {},
  options: {
    limit: withDefault(integer("Types to list.", { min: 1, max: LIMITS.pageRows, short: "l" }), LIMITS.pageRows),
  },
  examples: ["sluice block-type ls"],
  async run({ options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const types = await client.call(filterBlockTypes, { body: { limit: options.limit } }, { idempotent: true });
    output.list(types, COLUMNS, "There are no block types.");
    return undefined;
  },
});
