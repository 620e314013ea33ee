import * as api from "#protocol/block-documents";
import { notFound } from "#protocol/errors";
import { LIMITS } from "#protocol/limits";
import { exactField } from "../blocks/exact-json.ts";
import { readDocuments } from "../blocks/read-documents.ts";
import { rotateSecrets } from "../blocks/rotate-secrets.ts";
import { changeDocument, createDocument } from "../blocks/write-document.ts";
import * as queries from "../db/queries/block-documents.ts";
import { mayReadSecrets } from "../may-read-secrets.ts";
import { rotatePushSecrets } from "../push/secrets.ts";
import { type App, serve } from "../serve.ts";
import { rotateWebhookSecrets } from "../webhooks/secrets.ts";

const DEFAULT_ROTATED_DOCUMENTS = 50;

export function blockDocumentRoutes(app: App): void {
  serve(
    app,
    api.createBlockDocument,
  )(async ({ env, body, c }) => {
    const row = await createDocument(env, body, (await exactField(c, "data")) ?? {});
    return requireDocument(env, row, { withSecrets: false, which: row.id });
  });
  serve(
    app,
    api.filterBlockDocuments,
  )(async ({ env, body, c }) => {
    const rows = await queries.listDocuments(env, body, {
      sort: body.sort ?? "NAME_ASC",
      limit: body.limit ?? LIMITS.pageRows,
      offset: body.offset ?? 0,
    });
    return readDocuments(env, rows, { withSecrets: body.include_secrets === true && mayReadSecrets(c) });
  });
  serve(app, api.countBlockDocuments)(({ env, body }) => queries.countDocuments(env, body));
  serve(
    app,
    api.rotateBlockSecrets,
  )(async ({ env, body }) => {
    const limit = body.limit ?? DEFAULT_ROTATED_DOCUMENTS;
    const blocks = await rotateSecrets(env, limit);
    // Webhooks and work pools have their share of a page only when the blocks did not fill it.
    const webhooks = await rotateWebhookSecrets(env, limit - blocks.rotated);
    const pushes = await rotatePushSecrets(env, limit - blocks.rotated - webhooks.rotated);
    return {
      rotated: blocks.rotated + webhooks.rotated + pushes.rotated,
      remaining: blocks.remaining + webhooks.remaining + pushes.remaining,
      unreadable: blocks.unreadable + webhooks.unreadable + pushes.unreadable,
    };
  });
  serve(
    app,
    api.readBlockDocument,
  )(async ({ env, params, query, c }) =>
    requireDocument(env, await queries.documentById(env, params.id), {
      withSecrets: query.include_secrets === true && mayReadSecrets(c),
      which: params.id,
    }),
  );
  serve(
    app,
    api.updateBlockDocument,
  )(async ({ env, params, body, c }) => {
    const isChanged = await changeDocument(env, params.id, {
      schemaId: body.block_schema_id ?? null,
      data: await exactField(c, "data"),
      isMerge: body.merge_existing_data ?? true,
    });
    if (!isChanged) throw notFound("Block document", params.id);
    return undefined;
  });
  serve(
    app,
    api.deleteBlockDocument,
  )(async ({ env, params }) => {
    if (!(await queries.deleteDocument(env, params.id))) throw notFound("Block document", params.id);
    return undefined;
  });
}

async function requireDocument(
  env: Env,
  row: queries.BlockDocumentRow | null,
  { withSecrets, which }: { readonly withSecrets: boolean; readonly which: string },
): Promise<api.BlockDocument> {
  const [document] = row ? await readDocuments(env, [row], { withSecrets }) : [];
  if (!document) throw notFound("Block document", which);
  return document;
}
