import * as documents from "#protocol/block-documents";
import * as api from "#protocol/block-types";
import { notFound, SluiceError } from "#protocol/errors";
import { LIMITS } from "#protocol/limits";
import { readDocuments } from "../blocks/read-documents.ts";
import { ensureSystemBlocks, installSystemBlocks } from "../blocks/system-blocks.ts";
import { documentByName, listDocuments } from "../db/queries/block-documents.ts";
import * as queries from "../db/queries/block-types.ts";
import { mayReadSecrets } from "../may-read-secrets.ts";
import { type App, serve } from "../serve.ts";

/** Upstream keeps names with this beginning for itself. */
const RESERVED_PREFIX = "prefect";

export function blockTypeRoutes(app: App): void {
  for (const resource of ["types", "schemas", "documents", "capabilities"]) {
    app.use(`/api/block_${resource}/*`, async (c, next) => {
      await ensureSystemBlocks(c.env);
      await next();
    });
  }
  serve(
    app,
    api.createBlockType,
  )(async ({ env, body }) => {
    if (body.name.toLowerCase().startsWith(RESERVED_PREFIX)) {
      throw new SluiceError("forbidden", `Block type names starting with "${RESERVED_PREFIX}" are reserved.`, {
        fix: "Choose another name.",
      });
    }
    const type = await queries.insertBlockType(env, body);
    if (type) return type;
    throw new SluiceError("conflict", `A block type with the slug "${body.slug}" already exists.`, {
      fix: "Choose another slug, or change the block type that is there.",
    });
  });
  serve(
    app,
    api.filterBlockTypes,
  )(({ env, body }) =>
    queries.listBlockTypes(env, body.block_types, body.block_schemas, {
      limit: body.limit ?? LIMITS.pageRows,
      offset: body.offset ?? 0,
    }),
  );
  serve(
    app,
    api.installSystemBlockTypes,
  )(async ({ env }) => {
    await installSystemBlocks(env);
    return null;
  });
  serve(app, api.readBlockTypeBySlug)(({ env, params }) => requireType(env, params));
  serve(app, api.readBlockType)(({ env, params }) => requireType(env, params));
  serve(
    app,
    api.updateBlockType,
  )(async ({ env, params, body }) => {
    if (!(await queries.changeBlockType(env, params.id, body))) throw notFound("Block type", params.id);
    return undefined;
  });
  serve(
    app,
    api.deleteBlockType,
  )(async ({ env, params }) => {
    const type = await requireType(env, params);
    if (type.is_protected) {
      throw new SluiceError("forbidden", `Block type "${type.slug}" belongs to the system and cannot be deleted.`, {
        fix: "Leave it; delete its block documents instead.",
      });
    }
    await queries.deleteBlockType(env, type.id);
    return undefined;
  });
  serve(
    app,
    documents.readBlockDocumentsOfType,
  )(async ({ env, params, query, c }) => {
    const type = await requireType(env, params);
    const filter = { block_documents: { block_type_id: { any_: [type.id] } }, block_types: null, block_schemas: null };
    const rows = await listDocuments(env, filter, { sort: "NAME_ASC", limit: LIMITS.pageRows, offset: 0 });
    return readDocuments(env, rows, { withSecrets: query.include_secrets === true && mayReadSecrets(c) });
  });
  serve(
    app,
    documents.readBlockDocumentByName,
  )(async ({ env, params, query, c }) => {
    const row = await documentByName(env, params.slug, params.block_document_name);
    const withSecrets = query.include_secrets === true && mayReadSecrets(c);
    const [document] = row ? await readDocuments(env, [row], { withSecrets }) : [];
    if (!document) throw notFound("Block document", `"${params.slug}/${params.block_document_name}"`);
    return document;
  });
}

async function requireType(env: Env, key: queries.BlockTypeKey): Promise<api.BlockType> {
  const type = await queries.findBlockType(env, key);
  if (!type) throw notFound("Block type", "id" in key ? key.id : `"${key.slug}"`);
  return type;
}
