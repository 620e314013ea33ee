/** Blocks: named configuration with secrets, read and written by type and name. */
import {
  type BlockDocument,
  createBlockDocument,
  readBlockDocument,
  readBlockDocumentByName,
  updateBlockDocument,
} from "../protocol/block-documents.ts";
import { filterBlockSchemas } from "../protocol/block-schemas.ts";
import { readBlockTypeBySlug } from "../protocol/block-types.ts";
import { notFound, SluiceError } from "../protocol/errors.ts";
import type { ApiClient } from "./api-client.ts";

/** Which block: the slug of its type, e.g. "secret", and its name. */
export interface BlockName {
  readonly type: string;
  readonly name: string;
}

/** Reads a block with its secrets, as far as the key of the client may. Throws `not_found`. */
export function loadBlock(client: ApiClient, { type, name }: BlockName): Promise<BlockDocument> {
  return client.call(readBlockDocumentByName, {
    params: { slug: type, block_document_name: name },
    query: { include_secrets: "true" },
  });
}

/**
 * Saves a block under the newest schema of its type. The answer shows no secrets.
 *
 * Throws `not_found` for a type that there is not or that has no schema, and `conflict` if there is a block of that
 * name, unless `overwrite`: then its data is replaced.
 */
export async function saveBlock(
  client: ApiClient,
  { type, name }: BlockName,
  data: Record<string, unknown>,
  { overwrite = false }: { readonly overwrite?: boolean } = {},
): Promise<BlockDocument> {
  const { id: typeId } = await client.call(readBlockTypeBySlug, { params: { slug: type } });
  const newest = { block_schemas: { block_type_id: { any_: [typeId] } }, limit: 1 };
  const [schema] = await client.call(filterBlockSchemas, { body: newest }, { idempotent: true });
  if (!schema) throw notFound("Block schema", `of type "${type}"`, "Register the block type with its schema first.");
  try {
    const document = { name, data, block_schema_id: schema.id, block_type_id: typeId };
    return await client.call(createBlockDocument, { body: document });
  } catch (error) {
    if (!overwrite || !(error instanceof SluiceError) || error.code !== "conflict") throw error;
  }
  const { id } = await client.call(readBlockDocumentByName, { params: { slug: type, block_document_name: name } });
  const change = { data, block_schema_id: schema.id, merge_existing_data: false };
  await client.call(updateBlockDocument, { params: { id }, body: change });
  return client.call(readBlockDocument, { params: { id } });
}
