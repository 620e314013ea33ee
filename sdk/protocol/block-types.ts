/** Block types: the kinds of configuration that Prefect calls blocks, each with a slug. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { Paging } from "./filters.ts";
import { Uuid } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { Name } from "./names.ts";
import { WireTime } from "./time.ts";

const text = z.string().nullish();

/** What is shown of a block type, and may be changed. */
const about = { logo_url: text, documentation_url: text, description: text, code_example: text };

/** A kind of block. Description and code example are HTML-escaped, as upstream's clients expect them. */
export const BlockType = z.object({
  id: Uuid,
  created: WireTime,
  updated: WireTime,
  name: z.string(),
  /** Its name in addresses and in code; unique. */
  slug: z.string(),
  logo_url: z.string().nullable(),
  documentation_url: z.string().nullable(),
  description: z.string().nullable(),
  code_example: z.string().nullable(),
  /** Belongs to the system: it cannot be deleted. */
  is_protected: z.boolean(),
});
export type BlockType = z.infer<typeof BlockType>;

/** What a new block type is to be. Its name and slug never change. */
export const BlockTypeCreate = z.object({
  name: Name,
  slug: z
    .string()
    .min(1)
    .max(LIMITS.nameChars)
    .regex(/^[a-z0-9-]+$/, "must only contain lowercase letters, numbers, and dashes"),
  ...about,
});
export type BlockTypeCreate = z.infer<typeof BlockTypeCreate>;

/** A key that is absent is left as it is. */
export const BlockTypeUpdate = z.object(about);
export type BlockTypeUpdate = z.infer<typeof BlockTypeUpdate>;

/** Both criteria hold. `like_` finds a part of the name, whatever the case. */
export const BlockTypeFilter = z
  .object({
    name: z.object({ like_: text }).nullish(),
    slug: z.object({ any_: z.array(z.string()).nullish() }).nullish(),
  })
  .nullish();
export type BlockTypeFilter = z.infer<typeof BlockTypeFilter>;

/** All criteria hold, or (operator "or_") any of them. */
export const BlockSchemaFilter = z
  .object({
    operator: z.enum(["and_", "or_"]).nullish(),
    id: z.object({ any_: z.array(Uuid).nullish() }).nullish(),
    block_type_id: z.object({ any_: z.array(Uuid).nullish() }).nullish(),
    /** Schemas that have all of these capabilities. */
    block_capabilities: z.object({ all_: z.array(z.string()).nullish() }).nullish(),
    version: z.object({ any_: z.array(z.string()).nullish() }).nullish(),
  })
  .nullish();
export type BlockSchemaFilter = z.infer<typeof BlockSchemaFilter>;

const byId = z.object({ id: Uuid });

/**
 * A kind of block of one's own. 403 for a name that begins with “prefect”, whatever the case; 409 when the slug is
 * taken.
 */
export const createBlockType = endpoint({
  id: "create_block_type",
  method: "POST",
  path: "/block_types/",
  tag: "Block types",
  status: 201,
  summary: "Create a block type. Names that begin with “prefect” are reserved.",
  body: BlockTypeCreate,
  returns: BlockType,
});
/** One block type by its id. 404 when there is none. */
export const readBlockType = endpoint({
  id: "read_block_type_by_id",
  method: "GET",
  path: "/block_types/:id",
  tag: "Block types",
  role: "viewer",
  summary: "Read a block type.",
  params: byId,
  returns: BlockType,
});
/** How Prefect's client looks for the type of a block. 404 when there is none. */
export const readBlockTypeBySlug = endpoint({
  id: "read_block_type_by_slug",
  method: "GET",
  path: "/block_types/slug/:slug",
  tag: "Block types",
  role: "viewer",
  summary: "Read a block type by its slug.",
  params: z.object({ slug: z.string() }),
  returns: BlockType,
});
/** With a filter of schemas, only types that have such a schema. */
export const filterBlockTypes = endpoint({
  id: "read_block_types",
  method: "POST",
  path: "/block_types/filter",
  tag: "Block types",
  role: "viewer",
  summary: "List block types by name.",
  body: z.object({ block_types: BlockTypeFilter, block_schemas: BlockSchemaFilter }).extend(Paging.shape),
  returns: z.array(BlockType),
});
/** Changes addresses and texts, also of a protected type; null takes one away. 404 when there is none. */
export const updateBlockType = endpoint({
  id: "update_block_type",
  method: "PATCH",
  path: "/block_types/:id",
  tag: "Block types",
  status: 204,
  summary: "Change what is shown of a block type.",
  params: byId,
  body: BlockTypeUpdate,
});
/** All blocks of the type go with it. 403 for one of the system; 404 when there is none. */
export const deleteBlockType = endpoint({
  id: "delete_block_type",
  method: "DELETE",
  path: "/block_types/:id",
  tag: "Block types",
  status: 204,
  summary: "Delete a block type with its schemas and documents.",
  params: byId,
});
/** Seldom needed: the server does it before it first answers about blocks. Doing it twice changes nothing. */
export const installSystemBlockTypes = endpoint({
  id: "install_system_block_types",
  method: "POST",
  path: "/block_types/install_system_block_types",
  tag: "Block types",
  summary: "Put the block types of the system in place, as they are in this version.",
  returns: z.null(),
});
