/** Rows of block documents. Secrets are sealed before they come here. */
import { and, asc, desc, eq, notInArray, type SQL, sql } from "drizzle-orm";
import type { BlockDocumentFilters, BlockDocumentSort } from "#protocol/block-documents";
import { blockDocumentsWhere } from "../block-filters.ts";
import { oneOf } from "../filters.ts";
import { openDb } from "../open.ts";
import { blockDocuments, blockSchemas, blockTypes } from "../schema/blocks.ts";
import { violatesUnique } from "../unique.ts";

export type BlockDocumentRow = typeof blockDocuments.$inferSelect;

const ORDER = {
  NAME_DESC: [desc(blockDocuments.name)],
  NAME_ASC: [asc(blockDocuments.name)],
  BLOCK_TYPE_AND_NAME_ASC: [asc(blockDocuments.blockTypeName), asc(blockDocuments.name)],
} satisfies Record<BlockDocumentSort, SQL[]>;

/** Stores a document, unless its name is taken or its schema or type was deleted meanwhile. */
export async function insertDocument(
  env: Env,
  row: BlockDocumentRow,
): Promise<"stored" | "name taken" | "type or schema unknown"> {
  const db = openDb(env);
  try {
    const [, found] = await db.batch([
      db.insert(blockDocuments).values(row),
      db
        .delete(blockDocuments)
        .where(
          and(
            eq(blockDocuments.id, row.id),
            sql`NOT (EXISTS (SELECT 1 FROM ${blockSchemas} WHERE ${blockSchemas.id} = ${row.blockSchemaId})
              AND EXISTS (SELECT 1 FROM ${blockTypes} WHERE ${blockTypes.id} = ${row.blockTypeId}))`,
          ),
        )
        .returning({ id: blockDocuments.id }),
    ]);
    return found.length === 0 ? "stored" : "type or schema unknown";
  } catch (error) {
    if (violatesUnique(error, "block_documents.")) return "name taken";
    throw error;
  }
}

export async function documentById(env: Env, id: string): Promise<BlockDocumentRow | null> {
  const [row] = await openDb(env).select().from(blockDocuments).where(eq(blockDocuments.id, id));
  return row ?? null;
}

export async function documentByName(env: Env, slug: string, name: string): Promise<BlockDocumentRow | null> {
  const db = openDb(env);
  const type = db.select({ id: blockTypes.id }).from(blockTypes).where(eq(blockTypes.slug, slug));
  const [row] = await db
    .select()
    .from(blockDocuments)
    .where(and(sql`${blockDocuments.blockTypeId} = (${type})`, eq(blockDocuments.name, name)));
  return row ?? null;
}

export async function documentsById(env: Env, ids: readonly string[]): Promise<BlockDocumentRow[]> {
  return openDb(env).select().from(blockDocuments).where(oneOf(blockDocuments.id, ids));
}

export async function listDocuments(
  env: Env,
  filters: BlockDocumentFilters,
  page: { readonly sort: BlockDocumentSort; readonly limit: number; readonly offset: number },
): Promise<BlockDocumentRow[]> {
  return openDb(env)
    .select()
    .from(blockDocuments)
    .where(blockDocumentsWhere(filters))
    .orderBy(...ORDER[page.sort], asc(blockDocuments.id))
    .limit(page.limit)
    .offset(page.offset);
}

export async function countDocuments(env: Env, filters: BlockDocumentFilters): Promise<number> {
  return openDb(env).$count(blockDocuments, blockDocumentsWhere(filters));
}

/** Changes a document if it still is at the revision that was read. */
export async function replaceDocument(
  env: Env,
  read: BlockDocumentRow,
  change: Partial<BlockDocumentRow>,
): Promise<boolean> {
  const [row] = await openDb(env)
    .update(blockDocuments)
    .set({ ...change, revision: read.revision + 1 })
    .where(and(eq(blockDocuments.id, read.id), eq(blockDocuments.revision, read.revision)))
    .returning({ id: blockDocuments.id });
  return row !== undefined;
}

export async function deleteDocument(env: Env, id: string): Promise<boolean> {
  const [row] = await openDb(env)
    .delete(blockDocuments)
    .where(eq(blockDocuments.id, id))
    .returning({ id: blockDocuments.id });
  return row !== undefined;
}

/** Documents whose secrets need one of these keys. */
export async function documentsWithKeys(
  env: Env,
  keyIds: readonly string[],
  limit: number,
): Promise<BlockDocumentRow[]> {
  return openDb(env).select().from(blockDocuments).where(oneOf(blockDocuments.secretsKeyId, keyIds)).limit(limit);
}

export async function countDocumentsWithKeys(env: Env, keyIds: readonly string[]): Promise<number> {
  return openDb(env).$count(blockDocuments, oneOf(blockDocuments.secretsKeyId, keyIds));
}

export async function countDocumentsWithOtherKeys(env: Env, keyIds: readonly string[]): Promise<number> {
  return openDb(env).$count(
    blockDocuments,
    and(sql`${blockDocuments.secretsKeyId} IS NOT NULL`, notInArray(blockDocuments.secretsKeyId, [...keyIds])),
  );
}
