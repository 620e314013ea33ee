/** Making and changing block documents. */
import { type BlockDocumentCreate, OBFUSCATED } from "#protocol/block-documents";
import { notFound, SluiceError } from "#protocol/errors";
import { type BlockDocumentRow, documentById, insertDocument, replaceDocument } from "../db/queries/block-documents.ts";
import { type BlockSchemaRow, schemasById } from "../db/queries/block-schemas.ts";
import { findBlockType } from "../db/queries/block-types.ts";
import { newId } from "../new-id.ts";
import { checkReferences, splitReferences } from "./document-references.ts";
import { sealData, wholeData } from "./document-secrets.ts";
import { parseExact } from "./exact-json.ts";
import { mapSecrets, secretFieldsOf, valueAt } from "./secret-fields.ts";

type Json = Record<string, unknown>;

/** How often a change is tried when others change the same document. */
const CHANGE_TRIES = 10;

/** Stores a new document. `data` has exact numbers; that of the request is not looked at. */
export async function createDocument(env: Env, request: BlockDocumentCreate, data: Json): Promise<BlockDocumentRow> {
  const blockType = await findBlockType(env, { id: request.block_type_id });
  if (!blockType) throw notFound("Block type", request.block_type_id);
  const schema = await requireSchema(env, request.block_schema_id);
  const id = newId();
  const { own, references } = splitReferences(data);
  await checkReferences(env, id, references);
  const now = Date.now();
  const row: BlockDocumentRow = {
    id,
    name: request.name ?? `anonymous-${crypto.randomUUID()}`,
    blockTypeId: blockType.id,
    blockTypeName: blockType.name,
    blockSchemaId: schema.id,
    isAnonymous: request.is_anonymous ?? false,
    ...(await sealData(env, id, own, secretFieldsIn(schema))),
    nested: { ...references },
    revision: 0,
    created: now,
    updated: now,
  };
  const outcome = await insertDocument(env, row);
  if (outcome === "stored") return row;
  if (outcome === "type or schema unknown") throw unknownSchema(schema.id);
  throw new SluiceError("conflict", `A block of type "${blockType.slug}" named "${row.name}" already exists.`, {
    fix: "Choose another name, or change the block that is there.",
  });
}

export interface DocumentChange {
  readonly schemaId: string | null;
  /** With exact numbers; null if the request says nothing about it. */
  readonly data: Json | null;
  /** Whether what is not in `data` stays. */
  readonly isMerge: boolean;
}

/** Changes a document; false if there is none. */
export async function changeDocument(env: Env, id: string, change: DocumentChange): Promise<boolean> {
  for (let tries = 0; tries < CHANGE_TRIES; tries++) {
    const row = await documentById(env, id);
    if (!row) return false;
    if (change.data === null && change.isMerge && change.schemaId === null) return true;
    if (await replaceDocument(env, row, await changed(env, row, change))) return true;
  }
  throw new SluiceError("overloaded", `Block document ${id} is being changed by others at this moment.`, {
    fix: "Send the request again.",
  });
}

async function changed(env: Env, row: BlockDocumentRow, change: DocumentChange): Promise<Partial<BlockDocumentRow>> {
  const current = await wholeData(env, row);
  const [before] = await schemasById(env, [row.blockSchemaId]);
  const schema = change.schemaId === null ? before : await requireSchema(env, change.schemaId);
  if (!schema) throw unknownSchema(row.blockSchemaId);
  if (schema.blockTypeId !== row.blockTypeId) {
    throw new SluiceError("bad_reference", `Block schema ${schema.id} belongs to another block type.`, {
      fix: "Use a schema of the document's own block type.",
    });
  }
  // Whoever sends back what was shown does not mean to replace a secret by asterisks.
  const given = mapSecrets(change.data ?? {}, before ? secretFieldsIn(before) : [], (value, path) =>
    value === OBFUSCATED ? (valueAt(current, path) ?? value) : value,
  );
  const { own, references } = splitReferences(given);
  const kept = change.isMerge ? without(row.nested, own) : {};
  const nested = { ...kept, ...references };
  await checkReferences(env, row.id, nested);
  const data = change.isMerge ? { ...without(current, references), ...own } : own;
  return {
    ...(await sealData(env, row.id, data, secretFieldsIn(schema))),
    blockSchemaId: schema.id,
    nested,
    updated: Date.now(),
  };
}

function without<T>(object: Readonly<Record<string, T>>, keysOf: Readonly<Json>): Record<string, T> {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !Object.hasOwn(keysOf, key)));
}

function secretFieldsIn(schema: BlockSchemaRow): string[] {
  return secretFieldsOf(parseExact(schema.fields) as Json);
}

async function requireSchema(env: Env, id: string): Promise<BlockSchemaRow> {
  const [schema] = await schemasById(env, [id]);
  if (!schema) throw unknownSchema(id);
  return schema;
}

/** Upstream answers 409: the database refuses the row. */
function unknownSchema(id: string): SluiceError {
  return new SluiceError("conflict", `There is no block schema ${id}.`, {
    fix: "Create the schema first, or use the id of one that is there.",
  });
}
