/** Block types, schemas and documents to test with. */
import { call, freshName } from "./api.ts";

export interface BlockDocument {
  readonly id: string;
  readonly name: string;
  readonly data: Record<string, unknown>;
  readonly block_schema_id: string;
  readonly block_document_references: Record<string, unknown>;
}

export interface Kind {
  readonly typeId: string;
  readonly slug: string;
  readonly schemaId: string;
}

/** A block type with one schema. */
export async function aKind(fields: Record<string, unknown> = {}, capabilities: string[] = []): Promise<Kind> {
  const slug = freshName("kind");
  const type = await call<{ id: string }>("POST", "/block_types/", { name: slug, slug });
  const schema = await aSchema(type.body.id, { title: slug, block_type_slug: slug, ...fields }, capabilities);
  return { typeId: type.body.id, slug, schemaId: schema };
}

export async function aSchema(
  typeId: string,
  fields: Record<string, unknown>,
  capabilities: string[] = [],
): Promise<string> {
  const request = { block_type_id: typeId, fields, capabilities };
  return (await call<{ id: string }>("POST", "/block_schemas/", request)).body.id;
}

export function save(kind: Kind, data: unknown, more: Record<string, unknown> = {}) {
  const request = {
    name: freshName("block"),
    data,
    block_schema_id: kind.schemaId,
    block_type_id: kind.typeId,
    ...more,
  };
  return call<BlockDocument>("POST", "/block_documents/", request);
}

export async function load(id: string, query = "?include_secrets=true"): Promise<BlockDocument> {
  return (await call<BlockDocument>("GET", `/block_documents/${id}${query}`)).body;
}
