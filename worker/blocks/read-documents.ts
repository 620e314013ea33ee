/** Block documents as clients read them: with the documents they refer to in place, and secrets only for who may. */
import type { BlockDocument } from "#protocol/block-documents";
import type { BlockType } from "#protocol/block-types";
import { type EpochMs, toWireTime } from "#protocol/time";
import type { BlockDocumentRow } from "../db/queries/block-documents.ts";
import { schemasById } from "../db/queries/block-schemas.ts";
import { blockTypesById } from "../db/queries/block-types.ts";
import { countExpanded, documentsBelow, type References } from "./document-references.ts";
import { shownData, wholeData } from "./document-secrets.ts";
import { readSchemas } from "./read-schemas.ts";

type Json = Record<string, unknown>;

/** What the expansion of references needs. */
interface World {
  readonly below: ReadonlyMap<string, BlockDocumentRow>;
  readonly data: ReadonlyMap<string, Json>;
  readonly types: ReadonlyMap<string, BlockType>;
}

/** The wire form of rows, in their order. Without `withSecrets` nothing is decrypted. */
export async function readDocuments(
  env: Env,
  rows: readonly BlockDocumentRow[],
  { withSecrets }: { readonly withSecrets: boolean },
): Promise<BlockDocument[]> {
  const below = await documentsBelow(
    env,
    rows.map((row) => row.nested),
  );
  const all = new Map([...below, ...rows.map((row) => [row.id, row] as const)]);
  const data = new Map<string, Json>();
  for (const row of all.values()) data.set(row.id, withSecrets ? await wholeData(env, row) : shownData(row));
  const types = await blockTypesById(env, [...new Set([...all.values()].map((row) => row.blockTypeId))]);
  const schemaRows = await schemasById(env, [...new Set(rows.map((row) => row.blockSchemaId))]);
  const schemas = new Map((await readSchemas(env, schemaRows)).map((schema) => [schema.id, schema]));
  const world: World = { below, data, types };
  return rows.map((row) => {
    countExpanded(row.nested, below);
    return {
      id: row.id,
      created: toWireTime(row.created as EpochMs),
      updated: toWireTime(row.updated as EpochMs),
      name: row.name,
      data: expandData(row, world),
      block_schema_id: row.blockSchemaId,
      block_schema: schemas.get(row.blockSchemaId) ?? null,
      block_type_id: row.blockTypeId,
      block_type_name: row.blockTypeName,
      block_type: types.get(row.blockTypeId) ?? null,
      block_document_references: expandReferences(row.nested, world),
      is_anonymous: row.isAnonymous,
    };
  });
}

function expandData(row: BlockDocumentRow, world: World): Json {
  const nested = Object.entries(row.nested).flatMap(([key, id]) => {
    const child = world.below.get(id);
    return child ? [[key, expandData(child, world)] as const] : [];
  });
  return { ...world.data.get(row.id), ...Object.fromEntries(nested) };
}

function expandReferences(references: References, world: World): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(references).flatMap(([key, id]) => {
      const child = world.below.get(id);
      if (!child) return [];
      const block_document = {
        id: child.id,
        name: child.name,
        block_type: world.types.get(child.blockTypeId) ?? null,
        is_anonymous: child.isAnonymous,
        block_document_references: expandReferences(child.nested, world),
      };
      return [[key, { block_document }] as const];
    }),
  );
}
