import * as api from "#protocol/block-schemas";
import { notFound, SluiceError } from "#protocol/errors";
import { LIMITS } from "#protocol/limits";
import { exactField } from "../blocks/exact-json.ts";
import { readSchemas } from "../blocks/read-schemas.ts";
import { registerSchema } from "../blocks/register-schema.ts";
import * as queries from "../db/queries/block-schemas.ts";
import { findBlockType } from "../db/queries/block-types.ts";
import { type App, serve, withStatus } from "../serve.ts";

export function blockSchemaRoutes(app: App): void {
  serve(
    app,
    api.createBlockSchema,
  )(async ({ env, body, c }) => {
    const blockType = await findBlockType(env, { id: body.block_type_id });
    if (!blockType) throw notFound("Block type", body.block_type_id);
    const { schema, isNew } = await registerSchema(env, {
      fields: (await exactField(c, "fields")) ?? {},
      blockType,
      capabilities: body.capabilities ?? [],
      version: body.version ?? api.UNVERSIONED,
    });
    return withStatus(schema, isNew ? 201 : 200);
  });
  serve(
    app,
    api.filterBlockSchemas,
  )(async ({ env, body }) => {
    const page = { limit: body.limit ?? LIMITS.pageRows, offset: body.offset ?? 0 };
    return readSchemas(env, await queries.listSchemas(env, body.block_schemas, page));
  });
  serve(
    app,
    api.readBlockSchemaByChecksum,
  )(async ({ env, params, query }) =>
    requireSchema(
      env,
      await queries.schemaByChecksum(env, params.checksum, query.version ?? null),
      `with the checksum ${params.checksum}`,
    ),
  );
  serve(app, api.readBlockSchema)(({ env, params }) => schemaById(env, params.id));
  serve(
    app,
    api.deleteBlockSchema,
  )(async ({ env, params }) => {
    const schema = await schemaById(env, params.id);
    if (schema.block_type?.is_protected) {
      throw new SluiceError("forbidden", `Block schema ${params.id} is one of "${schema.block_type.slug}".`, {
        fix: "Leave it: schemas of block types that belong to the system cannot be deleted.",
      });
    }
    await queries.deleteSchema(env, params.id);
    return undefined;
  });
  serve(app, api.readBlockCapabilities)(({ env }) => queries.listCapabilities(env));
}

async function schemaById(env: Env, id: string): Promise<api.BlockSchema> {
  const [row] = await queries.schemasById(env, [id]);
  return requireSchema(env, row ?? null, id);
}

async function requireSchema(env: Env, row: queries.BlockSchemaRow | null, which: string): Promise<api.BlockSchema> {
  const [schema] = row ? await readSchemas(env, [row]) : [];
  if (!schema) throw notFound("Block schema", which);
  return schema;
}
