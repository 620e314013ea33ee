/**
 * Storing a block schema. Definitions of other blocks in it become schemas of their own, found by their checksum and
 * put together again when the schema is read.
 */
import type { BlockSchema } from "#protocol/block-schemas";
import { UNVERSIONED } from "#protocol/block-schemas";
import type { BlockType } from "#protocol/block-types";
import { SluiceError } from "#protocol/errors";
import { LIMITS } from "#protocol/limits";
import { type EpochMs, toWireTime } from "#protocol/time";
import { type BlockSchemaRow, insertSchemas, schemaByChecksum } from "../db/queries/block-schemas.ts";
import { findBlockType } from "../db/queries/block-types.ts";
import type { NestedSchema } from "../db/schema/blocks.ts";
import { newId } from "../new-id.ts";
import { isObject } from "./exact-json.ts";
import { readSchemas } from "./read-schemas.ts";
import { plainDefinitions, referencesIn, schemaChecksum } from "./schema-checksum.ts";

type Json = Record<string, unknown>;

export interface NewSchema {
  /** With exact numbers. */
  readonly fields: Json;
  readonly blockType: BlockType;
  readonly capabilities: readonly string[];
  readonly version: string;
}

/**
 * Stores a schema with those that it nests. Answers the one that is there already, if there is one with its checksum
 * and version.
 *
 * Throws `conflict` for a nested block whose type is unknown, `validation` for one that is not defined.
 */
export async function registerSchema(
  env: Env,
  schema: NewSchema,
): Promise<{ readonly schema: BlockSchema; readonly isNew: boolean }> {
  checkSize(schema.fields);
  const plan = new Plan(env);
  const root = await plan.add(schema, null);
  await insertSchemas(env, plan.rows);
  const stored = await schemaByChecksum(env, root.checksum, root.version);
  if (stored?.id !== root.id || !plan.rows.includes(root)) {
    const [found] = await readSchemas(env, stored ? [stored] : [root]);
    if (found) return { schema: found, isNew: false };
  }
  return { schema: asGiven(root, schema), isNew: true };
}

/** The rows that are to be stored, found one after another. */
class Plan {
  readonly rows: BlockSchemaRow[] = [];
  readonly #env: Env;

  constructor(env: Env) {
    this.#env = env;
  }

  async add(schema: NewSchema, inherited: Json | null): Promise<BlockSchemaRow> {
    const own = schema.fields["definitions"];
    const definitions = inherited ?? (isObject(own) && Object.keys(own).length > 0 ? own : null);
    const fields: Json = definitions ? { ...schema.fields, definitions } : schema.fields;
    const checksum = await schemaChecksum(fields);
    const known = await this.#find(checksum, schema.version);
    if (known) return known;
    const { block_schema_references: references, definitions: _, ...rest } = fields;
    const kept = definitions ? plainDefinitions(fields, definitions) : {};
    const now = Date.now();
    const row: BlockSchemaRow = {
      id: newId(),
      checksum,
      version: schema.version,
      blockTypeId: schema.blockType.id,
      fields: JSON.stringify(Object.keys(kept).length > 0 ? { ...rest, definitions: kept } : rest),
      nested: [],
      capabilities: [...schema.capabilities],
      created: now,
      updated: now,
    };
    this.rows.push(row);
    for (const reference of readReferences(references)) {
      row.nested.push(await this.#nest(reference, fields, definitions));
    }
    return row;
  }

  async #nest(reference: NestedSchema, fields: Json, definitions: Json | null): Promise<NestedSchema> {
    const blockType = await findBlockType(this.#env, { slug: reference.slug });
    if (!blockType) {
      throw new SluiceError(
        "conflict",
        `Field "${reference.property}" nests a block of type "${reference.slug}", which there is not.`,
        { fix: `Create the block type "${reference.slug}" first.` },
      );
    }
    const known = await this.#find(reference.checksum, null);
    const nested =
      known ??
      (await this.add(
        {
          fields: definitionOf(reference, fields, definitions),
          blockType,
          capabilities: [],
          version: UNVERSIONED,
        },
        definitions,
      ));
    return { property: reference.property, slug: reference.slug, checksum: nested.checksum };
  }

  async #find(checksum: string, version: string | null): Promise<BlockSchemaRow | null> {
    const planned = this.rows.find((row) => row.checksum === checksum && (version === null || row.version === version));
    return planned ?? (await schemaByChecksum(this.#env, checksum, version));
  }
}

/** `block_schema_references`, one entry per property or, for unions, a list of them. */
function readReferences(given: unknown): NestedSchema[] {
  if (!isObject(given)) return [];
  return Object.entries(given).flatMap(([property, value]) =>
    (Array.isArray(value) ? value : [value]).map((entry: unknown) => {
      const slug = isObject(entry) ? entry["block_type_slug"] : null;
      const checksum = isObject(entry) ? entry["block_schema_checksum"] : null;
      if (typeof slug === "string" && typeof checksum === "string") return { property, slug, checksum };
      throw invalid(property, "names no block type and checksum", "Give block_type_slug and block_schema_checksum.");
    }),
  );
}

/** What a property of the fields refers to; the block type tells which part of a union is meant. */
function definitionOf({ property, slug }: NestedSchema, fields: Json, definitions: Json | null): Json {
  const properties = fields["properties"];
  const names = isObject(properties) ? referencesIn(properties[property]) : [];
  const found = names
    .map((name) => definitions?.[name])
    .filter(isObject)
    .find((definition) => names.length === 1 || definition["block_type_slug"] === slug);
  if (found) return found;
  throw invalid(property, `has no definition of the block type "${slug}"`, "Put it into the fields' `definitions`.");
}

function invalid(property: string, problem: string, fix: string): SluiceError {
  return new SluiceError("validation", `The nested block "${property}" ${problem}.`, {
    fix,
    issues: [{ loc: ["body", "fields", "block_schema_references", property], msg: problem, type: "invalid" }],
  });
}

function checkSize(fields: Json): void {
  const bytes = new TextEncoder().encode(JSON.stringify(fields)).byteLength;
  if (bytes <= LIMITS.blockBytes) return;
  throw new SluiceError("validation", `The fields have ${bytes} bytes; ${LIMITS.blockBytes} are allowed.`, {
    fix: "Make the schema smaller.",
    issues: [{ loc: ["body", "fields"], msg: "is too large", type: "too_big", input: bytes }],
  });
}

function asGiven(row: BlockSchemaRow, { fields, blockType }: NewSchema): BlockSchema {
  return {
    id: row.id,
    created: toWireTime(row.created as EpochMs),
    updated: toWireTime(row.updated as EpochMs),
    checksum: row.checksum,
    fields: { ...fields, block_schema_references: fields["block_schema_references"] ?? {} },
    block_type_id: row.blockTypeId,
    block_type: blockType,
    capabilities: row.capabilities,
    version: row.version,
  };
}
