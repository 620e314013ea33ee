/** Block types as programs declare them: named configuration with secrets, held to a schema. */
import { type ApiClient, loadBlock, saveBlock } from "../client/index.ts";
import { requiredClient } from "../flow/deploy/deployment.ts";
import { parameterSchema } from "../flow/parameter-schema.ts";
import { rememberSecret } from "../flow/secrets.ts";
import type { SchemaInput, SchemaOutput, StandardSchema } from "../flow/standard-schema.ts";
import { deleteBlockDocument, readBlockDocumentByName } from "../protocol/block-documents.ts";
import { createBlockSchema } from "../protocol/block-schemas.ts";
import { type BlockType, createBlockType, readBlockTypeBySlug } from "../protocol/block-types.ts";
import { SluiceError } from "../protocol/errors.ts";
import type { JsonObject } from "../protocol/flow-runs.ts";

/** A field, or a path that begins with one. */
type SecretField<K extends string> = K | `${K}.${string}`;

/** How a block is saved. */
export interface SaveBlockOptions {
  /** Replaces a block that has the name. Default false. */
  readonly overwrite?: boolean;
  /** Fields that are other blocks, which may change later: `{ credentials: { type: "aws-credentials", name: "prod" } }`. */
  readonly references?: Readonly<Record<string, { readonly type: string; readonly name: string }>>;
}

/** What a block type is. */
export interface BlockOptions<S extends StandardSchema, O> {
  /** Lower-case letters, digits and dashes: blocks are known by it, and by their own name. */
  readonly slug: string;
  /** Of any library that speaks Standard Schema and gives a JSON schema of an object. */
  readonly schema: S;
  /**
   * Fields that are kept encrypted and shown to nobody who may not read secrets: `"token"`, `"login.password"`,
   * `"headers.*"`. A program that opens a block masks them in what it logs. Default: none.
   */
  readonly secrets?: readonly SecretField<keyof SchemaInput<S> & string>[];
  /** Shown to people. Default: made of the slug. */
  readonly name?: string;
  /** Shown to people. Default: none. */
  readonly description?: string;
  /** Makes of the fields what a program works with. Default: the fields themselves. */
  readonly open?: (fields: SchemaOutput<S>) => O;
}

/** A block type. Every member throws `SluiceError` without a control plane. */
export interface Block<S extends StandardSchema, O> {
  readonly slug: string;
  /** Reads a block and opens it. Throws `not_found`, and TypeError where its fields do not fit the schema. */
  load(name: string): Promise<O>;
  /**
   * Saves a block, registering the type if need be. Throws `conflict` for one that there is, unless `overwrite`, and
   * `not_found` for a reference to one that there is not.
   */
  save(name: string, fields: SchemaInput<S>, options?: SaveBlockOptions): Promise<void>;
  /** Deletes a block. Answers whether there was one. */
  delete(name: string): Promise<boolean>;
  /** Opens fields that are kept elsewhere, as `load` does. Throws TypeError where they do not fit the schema. */
  open(fields: SchemaInput<S>): Promise<O>;
}

/** Declares a block type. Nothing is sent before the first call of a member. */
export function defineBlock<S extends StandardSchema, O = SchemaOutput<S>>(options: BlockOptions<S, O>): Block<S, O> {
  const { slug, schema, open } = options;
  if (!/^[a-z0-9-]+$/.test(slug)) {
    throw new TypeError(
      `The slug of a block type is ${JSON.stringify(slug)}. Use lower-case letters, digits and dashes.`,
    );
  }
  const parse = async (fields: unknown): Promise<SchemaOutput<S>> => {
    const result = await schema["~standard"].validate(fields);
    if (!result.issues) return result.value as SchemaOutput<S>;
    const told = result.issues.map(({ path, message }) => {
      const field = (path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".");
      return `"${field}": ${message}`;
    });
    // The values are not named: they may be secret.
    throw new TypeError(`The fields do not make a block of type "${slug}". ${told.join("; ")}.`);
  };
  const opened = async (fields: unknown): Promise<O> => {
    for (const path of options.secrets ?? []) rememberSecret(at(fields, path.split(".")));
    const parsed = await parse(fields);
    return open ? open(parsed) : (parsed as O);
  };
  return {
    slug,
    open: opened,
    async load(name) {
      const client = requiredClient("load()");
      const { data } = await loadBlock(client, { type: slug, name }).catch((error: unknown) => {
        throw missing(slug, name, error);
      });
      return await opened(data);
    },
    async save(name, fields, { overwrite = false, references = {} } = {}) {
      await parse(fields);
      const client = requiredClient("save()");
      await register(client, options);
      const data = JSON.parse(JSON.stringify(fields)) as JsonObject;
      for (const [field, { type, name: other }] of Object.entries(references)) {
        const params = { slug: type, block_document_name: other };
        const { id } = await client.call(readBlockDocumentByName, { params });
        data[field] = { $ref: { block_document_id: id } };
      }
      await saveBlock(client, { type: slug, name }, data, { overwrite }).catch((error: unknown) => {
        throw taken(error);
      });
    },
    async delete(name) {
      const client = requiredClient("delete()");
      try {
        const params = { slug, block_document_name: name };
        const { id } = await client.call(readBlockDocumentByName, { params });
        await client.call(deleteBlockDocument, { params: { id } });
        return true;
      } catch (error) {
        if (error instanceof SluiceError && error.code === "not_found") return false;
        throw error;
      }
    },
  };
}

function at(value: unknown, path: readonly string[]): unknown {
  const [first, ...rest] = path;
  if (first === undefined || first === "*" || typeof value !== "object" || value === null) return value;
  return at(Reflect.get(value, first), rest);
}

/** Says how a block that is not there comes to be. Other errors are as they were. */
function missing(slug: string, name: string, error: unknown): unknown {
  if (!(error instanceof SluiceError) || error.code !== "not_found") return error;
  return new SluiceError("not_found", `There is no block "${name}" of type "${slug}".`, {
    fix: `Save it from a program, or with: sluice block create ${slug}/${name} --data '{…}'`,
    cause: error,
  });
}

/** Says how a block that is there is replaced. Other errors are as they were. */
function taken(error: unknown): unknown {
  if (!(error instanceof SluiceError) || error.code !== "conflict") return error;
  return new SluiceError("conflict", error.message, {
    fix: "Choose another name, or replace it: save(name, fields, { overwrite: true }).",
    cause: error,
  });
}

/** The type with its schema, made where there is none. Types that belong to the system are as they are. */
async function register<S extends StandardSchema, O>(client: ApiClient, options: BlockOptions<S, O>): Promise<void> {
  const type = await typeOf(client, options);
  if (type.is_protected) return;
  const fields = fieldsOf(options);
  await client.call(createBlockSchema, { body: { block_type_id: type.id, fields, capabilities: [] } });
}

async function typeOf<S extends StandardSchema, O>(client: ApiClient, options: BlockOptions<S, O>): Promise<BlockType> {
  const { slug, description } = options;
  try {
    return await client.call(readBlockTypeBySlug, { params: { slug } });
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== "not_found") throw error;
  }
  const name = options.name ?? titleOf(slug);
  return await client.call(createBlockType, { body: { name, slug, ...(description ? { description } : {}) } });
}

function fieldsOf<S extends StandardSchema, O>({ schema, slug, secrets = [], name }: BlockOptions<S, O>): JsonObject {
  const json = parameterSchema(schema);
  if (json === null) {
    throw new TypeError(
      `The schema of block type "${slug}" gives no JSON schema. Use a library that does, e.g. zod 4.2 or newer, without dates.`,
    );
  }
  const { $schema: _, additionalProperties: __, ...rest } = json;
  return {
    ...rest,
    title: name ?? titleOf(slug),
    block_type_slug: slug,
    block_schema_references: {},
    secret_fields: [...secrets],
  };
}

function titleOf(slug: string): string {
  return slug.replaceAll("-", " ").replace(/^./, (first) => first.toUpperCase());
}
