/**
 * A block's data in a form and back. Secrets come as asterisks, other blocks come with their data in place of the
 * reference: neither is what an unchanged field has to send. What is sent takes the place of everything that was there,
 * so that a field which was emptied is gone.
 */
import { type BlockDocument, OBFUSCATED } from "#protocol/block-documents";
import type { BlockSchema } from "#protocol/block-schemas";
import type { JsonObject } from "#protocol/flow-runs";
import { fieldSchema, isObject } from "../../components/schema-form/json-schema.ts";

export type BlockData = Pick<BlockDocument, "data" | "block_document_references">;

/** What the fields show: without secrets, and without what belongs to other blocks. */
export function shownData(schema: BlockSchema["fields"], document: BlockData): JsonObject {
  const own = Object.entries(document.data).filter(([name]) => !(name in document.block_document_references));
  return withoutSecrets(schema, Object.fromEntries(own), schema);
}

/** All that the block is to hold: what the fields hold, with asterisks for each secret that nobody typed anew. */
export function sentData(schema: BlockSchema["fields"], document: BlockData, edited: JsonObject): JsonObject {
  const references = Object.keys(document.block_document_references).map((name) => [name, referenceTo(document, name)]);
  const { data } = document;
  const own = Object.fromEntries(
    Object.entries(data).filter(([name]) => !(name in document.block_document_references)),
  );
  return { ...withSecrets(schema, own, edited, schema), ...Object.fromEntries(references) };
}

/** The name of the block to which a field refers. */
export function referredName({ block_document_references }: BlockData, name: string): string {
  const block = referred(block_document_references[name]);
  return typeof block["name"] === "string" ? block["name"] : name;
}

function referenceTo({ block_document_references }: BlockData, name: string): JsonObject {
  return { $ref: { block_document_id: referred(block_document_references[name])["id"] } };
}

function referred(reference: JsonObject | undefined): JsonObject {
  const block = reference?.["block_document"];
  return isObject(block) ? block : {};
}

function withoutSecrets(schema: JsonObject, data: JsonObject, root: JsonObject): JsonObject {
  const shown = Object.entries(data).flatMap(([name, value]): [string, unknown][] => {
    const inner = groupBelow(schema, name, root);
    if (inner && isObject(value)) return [[name, withoutSecrets(inner, value, root)]];
    return isHidden(value) ? [] : [[name, value]];
  });
  return Object.fromEntries(shown);
}

function withSecrets(schema: JsonObject, before: JsonObject, edited: JsonObject, root: JsonObject): JsonObject {
  const sent: JsonObject = { ...edited };
  for (const [name, value] of Object.entries(before)) {
    const inner = groupBelow(schema, name, root);
    if (inner && isObject(value)) {
      const group = edited[name];
      const whole = withSecrets(inner, value, isObject(group) ? group : {}, root);
      if (name in edited || Object.keys(whole).length > 0) sent[name] = whole;
    } else if (isHidden(value) && !(name in edited)) sent[name] = value;
  }
  return sent;
}

/** The schema of a property that has fields of its own; null for one that has a single field. */
function groupBelow(schema: JsonObject, name: string, root: JsonObject): JsonObject | null {
  const { properties } = fieldSchema({ type: "object", properties: {}, ...schema }, root);
  const { kind, properties: inner } = fieldSchema(properties?.[name], root);
  return kind === "group" && inner ? { type: "object", properties: inner } : null;
}

/**
 * A secret, or a list that holds one: what stands for it is found again by its place, which an edited list changes.
 * Within an object asterisks are shown, beside the names that they belong to.
 */
function isHidden(value: unknown): boolean {
  if (value === OBFUSCATED) return true;
  if (Array.isArray(value)) return JSON.stringify(value).includes(OBFUSCATED);
  return isObject(value) && Object.values(value).some((inner) => inner !== OBFUSCATED && isHidden(inner));
}
