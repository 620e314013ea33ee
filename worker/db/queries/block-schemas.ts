/** Rows of block schemas. How they belong together is put together in worker/blocks/. */
import { and, asc, desc, eq, inArray, sql } from "drizzle-orm";
import type { BlockSchemaFilter } from "#protocol/block-types";
import { schemaCondition } from "../block-filters.ts";
import { oneOf } from "../filters.ts";
import { openDb } from "../open.ts";
import { blockDocuments, blockSchemas, blockTypes } from "../schema/blocks.ts";

export type BlockSchemaRow = typeof blockSchemas.$inferSelect;

/** The newest with a checksum, of any version or of one. */
export async function schemaByChecksum(
  env: Env,
  checksum: string,
  version: string | null,
): Promise<BlockSchemaRow | null> {
  const [row] = await openDb(env)
    .select()
    .from(blockSchemas)
    .where(and(eq(blockSchemas.checksum, checksum), version === null ? undefined : eq(blockSchemas.version, version)))
    .orderBy(desc(blockSchemas.created), desc(blockSchemas.id))
    .limit(1);
  return row ?? null;
}

export async function schemasById(env: Env, ids: readonly string[]): Promise<BlockSchemaRow[]> {
  return openDb(env).select().from(blockSchemas).where(oneOf(blockSchemas.id, ids));
}

/** All with one of the checksums, the oldest first. */
export async function schemasByChecksum(env: Env, checksums: readonly string[]): Promise<BlockSchemaRow[]> {
  return openDb(env)
    .select()
    .from(blockSchemas)
    .where(oneOf(blockSchemas.checksum, checksums))
    .orderBy(asc(blockSchemas.created), asc(blockSchemas.id));
}

/** The newest first. */
export async function listSchemas(
  env: Env,
  filter: BlockSchemaFilter,
  page: { readonly limit: number; readonly offset: number },
): Promise<BlockSchemaRow[]> {
  return openDb(env)
    .select()
    .from(blockSchemas)
    .where(schemaCondition(filter))
    .orderBy(desc(blockSchemas.created), desc(blockSchemas.id))
    .limit(page.limit)
    .offset(page.offset);
}

/** Stores schemas, all or none. One whose checksum and version are there already is left out. */
export async function insertSchemas(env: Env, rows: readonly BlockSchemaRow[]): Promise<void> {
  const db = openDb(env);
  const [first, ...others] = rows.map((row) => db.insert(blockSchemas).values(row).onConflictDoNothing());
  if (first) await db.batch([first, ...others]);
}

/** Deletes the schema with its documents. */
export async function deleteSchema(env: Env, id: string): Promise<void> {
  const db = openDb(env);
  await db.batch([
    db.delete(blockDocuments).where(eq(blockDocuments.blockSchemaId, id)),
    db.delete(blockSchemas).where(eq(blockSchemas.id, id)),
  ]);
}

export async function listCapabilities(env: Env): Promise<string[]> {
  const rows = await openDb(env).all<{ value: string }>(
    sql`SELECT DISTINCT each.value AS value FROM ${blockSchemas}, json_each(${blockSchemas.capabilities}) AS each ORDER BY 1`,
  );
  return rows.map((row) => row.value);
}

/** How many of these checksums there are in one version for types of the system. */
export async function countSystemSchemas(env: Env, slugs: readonly string[], version: string): Promise<number> {
  const db = openDb(env);
  const types = db.select({ id: blockTypes.id }).from(blockTypes).where(oneOf(blockTypes.slug, slugs));
  return db.$count(blockSchemas, and(inArray(blockSchemas.blockTypeId, types), eq(blockSchemas.version, version)));
}
