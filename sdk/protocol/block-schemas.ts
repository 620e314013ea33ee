/** Block schemas: the versions of a block type's fields, found by a checksum of them. */
import { z } from "zod";
import { BlockSchemaFilter, BlockType } from "./block-types.ts";
import { endpoint } from "./endpoint.ts";
import { Paging } from "./filters.ts";
import { JsonObject } from "./flow-runs.ts";
import { Uuid } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { WireTime } from "./time.ts";

/** The version of a schema that names none. */
export const UNVERSIONED = "non-versioned";

/** One version of a block type's fields. It never changes: other fields are another schema. */
export const BlockSchema = z.object({
  id: Uuid,
  created: WireTime,
  updated: WireTime,
  /** "sha256:…" of the fields, as Prefect's client computes it. */
  checksum: z.string(),
  /** A JSON schema, with `secret_fields` and `block_schema_references` beside its `properties`. */
  fields: JsonObject,
  block_type_id: Uuid,
  block_type: BlockType.nullable(),
  /** What a block of it can do, in words of its author, such as `write-path`. */
  capabilities: z.array(z.string()),
  version: z.string(),
});
export type BlockSchema = z.infer<typeof BlockSchema>;

/** What a new schema is to be. Left out: no fields, no capabilities, and the version {@link UNVERSIONED}. */
export const BlockSchemaCreate = z.object({
  fields: JsonObject.nullish(),
  block_type_id: Uuid,
  capabilities: z.array(z.string()).nullish(),
  version: z.string().max(LIMITS.nameChars).nullish(),
});
export type BlockSchemaCreate = z.infer<typeof BlockSchemaCreate>;

const byId = z.object({ id: Uuid });

/**
 * Blocks that the fields nest get schemas of their own. 404 for an unknown block type, 409 where that of a nested block
 * is unknown. 422 for a nested block that is not defined in the fields, or fields larger than 1 MB.
 */
export const createBlockSchema = endpoint({
  id: "create_block_schema",
  method: "POST",
  path: "/block_schemas/",
  tag: "Block schemas",
  status: 201,
  summary: "Create a block schema; 200 with the one that has its checksum and version, if there is one.",
  body: BlockSchemaCreate,
  returns: BlockSchema,
});
/** One schema by its id. 404 when there is none. */
export const readBlockSchema = endpoint({
  id: "read_block_schema_by_id",
  method: "GET",
  path: "/block_schemas/:id",
  tag: "Block schemas",
  role: "viewer",
  summary: "Read a block schema.",
  params: byId,
  returns: BlockSchema,
});
/** How Prefect's client finds out whether its fields are known. 404 when they are not, or not in this version. */
export const readBlockSchemaByChecksum = endpoint({
  id: "read_block_schema_by_checksum",
  method: "GET",
  path: "/block_schemas/checksum/:checksum",
  tag: "Block schemas",
  role: "viewer",
  summary: "Read the newest block schema with a checksum, of one version if it is given.",
  params: z.object({ checksum: z.string() }),
  query: z.object({ version: z.string().optional() }),
  returns: BlockSchema,
});
/** Schemas with their block types, 200 to a page unless less is asked for. */
export const filterBlockSchemas = endpoint({
  id: "read_block_schemas",
  method: "POST",
  path: "/block_schemas/filter",
  tag: "Block schemas",
  role: "viewer",
  summary: "List block schemas, the newest first.",
  body: z.object({ block_schemas: BlockSchemaFilter }).extend(Paging.shape),
  returns: z.array(BlockSchema),
});
/** The documents in its form go with it. 403 for a schema of a protected block type; 404 when there is none. */
export const deleteBlockSchema = endpoint({
  id: "delete_block_schema",
  method: "DELETE",
  path: "/block_schemas/:id",
  tag: "Block schemas",
  status: 204,
  summary: "Delete a block schema with its documents.",
  params: byId,
});
/** What blocks can be asked for: the capabilities of all schemas, each once, in alphabetical order. */
export const readBlockCapabilities = endpoint({
  id: "read_available_block_capabilities",
  method: "GET",
  path: "/block_capabilities/",
  tag: "Block capabilities",
  role: "viewer",
  summary: "List the capabilities that any block schema has.",
  returns: z.array(z.string()),
});
