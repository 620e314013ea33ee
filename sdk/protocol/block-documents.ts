/** Block documents: the blocks themselves, named data of a block type, with secrets in it and references to others. */
import { z } from "zod";
import { BlockSchema } from "./block-schemas.ts";
import { BlockSchemaFilter, BlockType, BlockTypeFilter } from "./block-types.ts";
import { endpoint } from "./endpoint.ts";
import { NameFilter, Paging } from "./filters.ts";
import { JsonObject } from "./flow-runs.ts";
import { Uuid } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { WireTime } from "./time.ts";

/** What stands in place of a secret for whoever does not get to read it. */
export const OBFUSCATED = "********";

/**
 * A block: data in the form of one schema. Secrets in it stand as {@link OBFUSCATED} unless they were asked for by a
 * caller who may read them.
 */
export const BlockDocument = z.object({
  id: Uuid,
  created: WireTime,
  updated: WireTime,
  name: z.string(),
  /** With the data of referenced documents in place of the references. */
  data: JsonObject,
  block_schema_id: Uuid,
  block_schema: BlockSchema.nullable(),
  block_type_id: Uuid,
  block_type_name: z.string().nullable(),
  block_type: BlockType.nullable(),
  /** By the key of the data under which the referenced document stands. */
  block_document_references: z.record(z.string(), JsonObject),
  /** Made by a client for its own use, and left out of lists unless asked for. */
  is_anonymous: z.boolean(),
});
export type BlockDocument = z.infer<typeof BlockDocument>;

const DocumentName = z
  .string()
  .min(1)
  .max(LIMITS.nameChars)
  .regex(/^[a-z0-9-]+$/, "must only contain lowercase letters, numbers, and dashes");

/** What a new block document is to be. Without data it is empty. */
export const BlockDocumentCreate = z
  .object({
    /** Unique within the block type; made up for an anonymous document that has none. */
    name: DocumentName.nullish(),
    /** A value `{"$ref": {"block_document_id": …}}` refers to another document. */
    data: JsonObject.nullish(),
    block_schema_id: Uuid,
    block_type_id: Uuid,
    is_anonymous: z.boolean().nullish(),
  })
  .refine((document) => document.is_anonymous || document.name, {
    path: ["name"],
    error: "must be given for a block document that is not anonymous",
  });
export type BlockDocumentCreate = z.infer<typeof BlockDocumentCreate>;

/** What is null or absent is left as it is; only with `merge_existing_data` false, data that is not sent is gone. */
export const BlockDocumentUpdate = z.object({
  /** Another schema of the same block type. */
  block_schema_id: Uuid.nullish(),
  data: JsonObject.nullish(),
  /** Whether the keys of `data` are put beside those that are there (by default), or in their place. */
  merge_existing_data: z.boolean().nullish(),
});
export type BlockDocumentUpdate = z.infer<typeof BlockDocumentUpdate>;

/** Without `is_anonymous`, anonymous documents are left out; with null they are not. */
export const BlockDocumentFilter = z
  .object({
    operator: z.enum(["and_", "or_"]).nullish(),
    id: z.object({ any_: z.array(Uuid).nullish() }).nullish(),
    is_anonymous: z.object({ eq_: z.boolean().nullish() }).nullish(),
    block_type_id: z.object({ any_: z.array(Uuid).nullish() }).nullish(),
    name: NameFilter,
  })
  .nullish();
export type BlockDocumentFilter = z.infer<typeof BlockDocumentFilter>;

/** NAME_ASC is the default. */
export const BlockDocumentSort = z.enum(["NAME_DESC", "NAME_ASC", "BLOCK_TYPE_AND_NAME_ASC"]);
export type BlockDocumentSort = z.infer<typeof BlockDocumentSort>;

/** The filters that lists of block documents take. All that are given must hold. */
export const BlockDocumentFilters = z.object({
  block_documents: BlockDocumentFilter,
  block_types: BlockTypeFilter,
  block_schemas: BlockSchemaFilter,
});
export type BlockDocumentFilters = z.infer<typeof BlockDocumentFilters>;

const byId = z.object({ id: Uuid });
const bySlug = z.object({ slug: z.string() });
const withSecrets = z.object({ include_secrets: z.stringbool().optional() });

/**
 * Stores a block, its secrets encrypted. 404 for an unknown block type. 409 for an unknown schema, a name that the type
 * has already, or a reference to a document that there is not. 422 when data are larger than 1 MB or bring more than
 * 200 documents with them. 503 when there are secrets and the server has no key to keep them with.
 */
export const createBlockDocument = endpoint({
  id: "create_block_document",
  method: "POST",
  path: "/block_documents/",
  tag: "Block documents",
  status: 201,
  summary: "Create a block document. The answer shows no secrets.",
  body: BlockDocumentCreate,
  returns: BlockDocument,
});
/**
 * One block by its id. `include_secrets` is passed over for callers below the role worker. 404 when there is none; 503
 * when the key of its secrets is gone.
 */
export const readBlockDocument = endpoint({
  id: "read_block_document_by_id",
  method: "GET",
  path: "/block_documents/:id",
  tag: "Block documents",
  role: "viewer",
  summary: "Read a block document.",
  params: byId,
  query: withSecrets,
  returns: BlockDocument,
});
/** The first 200 that are not anonymous; {@link filterBlockDocuments} has pages. 404 for an unknown type. */
export const readBlockDocumentsOfType = endpoint({
  id: "read_block_documents_for_block_type",
  method: "GET",
  path: "/block_types/slug/:slug/block_documents",
  tag: "Block types",
  role: "viewer",
  summary: "List the block documents of a type by name.",
  params: bySlug,
  query: withSecrets,
  returns: z.array(BlockDocument),
});
/** The block that a client loads as `slug/name`. 404 when the type, or the name in it, is unknown. */
export const readBlockDocumentByName = endpoint({
  id: "read_block_document_by_name_for_block_type",
  method: "GET",
  path: "/block_types/slug/:slug/block_documents/name/:block_document_name",
  tag: "Block types",
  role: "viewer",
  summary: "Read a block document by its type and name.",
  params: bySlug.extend({ block_document_name: z.string() }),
  query: withSecrets,
  returns: BlockDocument,
});
/**
 * Changes the data of a block, or the schema whose form they have. 404 when there is none. 400 for a schema of another
 * block type, or when the document would contain itself. 409 for an unknown schema, or a reference to a document that
 * there is not. 422 and 503 as {@link createBlockDocument}; 503 also while others keep changing the document.
 */
export const updateBlockDocument = endpoint({
  id: "update_block_document_data",
  method: "PATCH",
  path: "/block_documents/:id",
  tag: "Block documents",
  status: 204,
  summary: "Change a block document. A secret that is sent back obfuscated is left as it is.",
  params: byId,
  body: BlockDocumentUpdate,
});
/** Documents that refer to it stay, without that key. 404 when there is none. */
export const deleteBlockDocument = endpoint({
  id: "delete_block_document",
  method: "DELETE",
  path: "/block_documents/:id",
  tag: "Block documents",
  status: 204,
  summary: "Delete a block document. References to it disappear.",
  params: byId,
});
/** Without `include_secrets`, or from a caller below the role worker, secrets are obfuscated. */
export const filterBlockDocuments = endpoint({
  id: "read_block_documents",
  method: "POST",
  path: "/block_documents/filter",
  tag: "Block documents",
  role: "viewer",
  summary: "List block documents.",
  body: BlockDocumentFilters.extend(Paging.shape).extend({
    include_secrets: z.boolean().nullish(),
    sort: BlockDocumentSort.nullish(),
  }),
  returns: z.array(BlockDocument),
});
/** As many as {@link filterBlockDocuments} lists on all its pages. */
export const countBlockDocuments = endpoint({
  id: "count_block_documents",
  method: "POST",
  path: "/block_documents/count",
  tag: "Block documents",
  role: "viewer",
  summary: "Count block documents.",
  body: BlockDocumentFilters,
  returns: z.int(),
});
/**
 * For the time after a key was put before the others in SLUICE_ENCRYPTION_KEYS. Secrets of webhooks and http pools are
 * counted among the documents. A page has 50 unless said. 503 when there are no keys.
 */
export const rotateBlockSecrets = endpoint({
  id: "rotate_block_document_secrets",
  method: "POST",
  path: "/block_documents/rotate",
  tag: "Block documents",
  role: "admin",
  summary: "Encrypt a page of secrets with the newest key. Call it until `remaining` is 0.",
  body: z.object({ limit: z.int().min(1).max(LIMITS.rotatedDocuments).nullish() }),
  returns: z.object({
    rotated: z.int(),
    /** Documents that still need an older key of SLUICE_ENCRYPTION_KEYS. */
    remaining: z.int(),
    /** Documents whose key is not in SLUICE_ENCRYPTION_KEYS: their secrets cannot be read. */
    unreadable: z.int(),
  }),
});
