/** Block schemas as clients read them: with the schemas of nested blocks put back among their definitions. */
import type { BlockSchema } from "#protocol/block-schemas";
import { type EpochMs, toWireTime } from "#protocol/time";
import { type BlockSchemaRow, schemasByChecksum } from "../db/queries/block-schemas.ts";
import { blockTypesById } from "../db/queries/block-types.ts";
import { isObject, parseExact } from "./exact-json.ts";

type Json = Record<string, unknown>;

/** The wire form of rows, in their order. Asks D1 once per level of nesting. */
export async function readSchemas(env: Env, rows: readonly BlockSchemaRow[]): Promise<BlockSchema[]> {
  const nested = await nestedSchemas(env, rows);
  const types = await blockTypesById(env, [...new Set(rows.map((row) => row.blockTypeId))]);
  return rows.map((row) => ({
    id: row.id,
    created: toWireTime(row.created as EpochMs),
    updated: toWireTime(row.updated as EpochMs),
    checksum: row.checksum,
    fields: wholeFields(row, nested, new Set([row.checksum])),
    block_type_id: row.blockTypeId,
    block_type: types.get(row.blockTypeId) ?? null,
    capabilities: row.capabilities,
    version: row.version,
  }));
}

/** Every schema below the given ones, by checksum. */
async function nestedSchemas(env: Env, roots: readonly BlockSchemaRow[]): Promise<Map<string, BlockSchemaRow>> {
  const found = new Map<string, BlockSchemaRow>();
  const asked = new Set<string>();
  for (let level = roots; level.length > 0; ) {
    const wanted = [...new Set(level.flatMap((row) => row.nested.map(({ checksum }) => checksum)))].filter(
      (checksum) => !asked.has(checksum),
    );
    for (const checksum of wanted) asked.add(checksum);
    level = wanted.length === 0 ? [] : await schemasByChecksum(env, wanted);
    for (const row of level) if (!found.has(row.checksum)) found.set(row.checksum, row);
  }
  return found;
}

function wholeFields(row: BlockSchemaRow, nested: ReadonlyMap<string, BlockSchemaRow>, above: Set<string>): Json {
  const fields = parseExact(row.fields) as Json;
  const references: Json = {};
  let definitions: Json = {};
  for (const { property, slug, checksum } of row.nested) {
    const child = nested.get(checksum);
    // It was deleted: the property stays, without a block behind it.
    if (!child) continue;
    const reference = { block_schema_checksum: checksum, block_type_slug: slug };
    const others = references[property];
    references[property] =
      others === undefined ? reference : Array.isArray(others) ? [...others, reference] : [others, reference];
    // Schemas that nest each other are not opened again.
    if (above.has(checksum)) continue;
    const { definitions: below, ...own } = wholeFields(child, nested, new Set([...above, checksum]));
    const title = own["title"];
    if (typeof title !== "string") continue;
    definitions = { ...definitions, [title]: own, ...(isObject(below) ? below : {}) };
  }
  const kept = isObject(fields["definitions"]) ? fields["definitions"] : {};
  const all = { ...kept, ...definitions };
  return {
    ...fields,
    block_schema_references: references,
    ...(Object.keys(all).length > 0 ? { definitions: all } : {}),
  };
}
