import { asc, eq, type SQL, sql } from "drizzle-orm";
import type {
  BlockSchemaFilter,
  BlockType,
  BlockTypeCreate,
  BlockTypeFilter,
  BlockTypeUpdate,
} from "#protocol/block-types";
import { type EpochMs, toWireTime } from "#protocol/time";
import { newId } from "../../new-id.ts";
import { blockTypesWhere } from "../block-filters.ts";
import { oneOf } from "../filters.ts";
import { openDb } from "../open.ts";
import { blockDocuments, blockSchemas, blockTypes } from "../schema/blocks.ts";

/** Which block type is meant. */
export type BlockTypeKey = { readonly id: string } | { readonly slug: string };

/** Null when the slug is taken. */
export async function insertBlockType(env: Env, request: BlockTypeCreate): Promise<BlockType | null> {
  const now = Date.now();
  const [row] = await openDb(env)
    .insert(blockTypes)
    .values({
      id: newId(),
      name: request.name,
      slug: request.slug,
      logoUrl: request.logo_url ?? null,
      documentationUrl: request.documentation_url ?? null,
      description: escaped(request.description),
      codeExample: escaped(request.code_example),
      created: now,
      updated: now,
    })
    .onConflictDoNothing()
    .returning();
  return row ? toBlockType(row) : null;
}

/** Makes a type that belongs to the system, or makes one with its slug belong to it. */
export async function putSystemBlockType(env: Env, request: BlockTypeCreate): Promise<BlockType> {
  const made = await insertBlockType(env, request);
  const db = openDb(env);
  const [row] = await db
    .update(blockTypes)
    .set({ isProtected: true })
    .where(eq(blockTypes.slug, request.slug))
    .returning();
  const type = row ? toBlockType(row) : made;
  // A protected type is never deleted, so it is there.
  if (!type) throw new Error(`The system's block type "${request.slug}" is neither there nor could be made.`);
  return type;
}

export async function findBlockType(env: Env, key: BlockTypeKey): Promise<BlockType | null> {
  const [row] = await openDb(env).select().from(blockTypes).where(matches(key));
  return row ? toBlockType(row) : null;
}

/** By id. */
export async function blockTypesById(env: Env, ids: readonly string[]): Promise<Map<string, BlockType>> {
  const rows = await openDb(env).select().from(blockTypes).where(oneOf(blockTypes.id, ids));
  return new Map(rows.map((row) => [row.id, toBlockType(row)]));
}

export async function listBlockTypes(
  env: Env,
  types: BlockTypeFilter,
  schemas: BlockSchemaFilter,
  page: { readonly limit: number; readonly offset: number },
): Promise<BlockType[]> {
  const rows = await openDb(env)
    .select()
    .from(blockTypes)
    .where(blockTypesWhere(types, schemas))
    .orderBy(asc(blockTypes.name), asc(blockTypes.slug))
    .limit(page.limit)
    .offset(page.offset);
  return rows.map(toBlockType);
}

/** Writes only what differs; false if there is no such type. */
export async function changeBlockType(env: Env, id: string, change: BlockTypeUpdate): Promise<boolean> {
  const current = await findBlockType(env, { id });
  if (!current) return false;
  const differs = (["logo_url", "documentation_url", "description", "code_example"] as const).some(
    (key) => change[key] !== undefined && unescaped(change[key]) !== unescaped(current[key]),
  );
  if (!differs) return true;
  await openDb(env)
    .update(blockTypes)
    .set({
      ...(change.logo_url !== undefined ? { logoUrl: change.logo_url } : {}),
      ...(change.documentation_url !== undefined ? { documentationUrl: change.documentation_url } : {}),
      ...(change.description !== undefined ? { description: change.description } : {}),
      ...(change.code_example !== undefined ? { codeExample: change.code_example } : {}),
      updated: Date.now(),
    })
    .where(eq(blockTypes.id, id));
  return true;
}

/** Deletes the type with its schemas and documents. */
export async function deleteBlockType(env: Env, id: string): Promise<void> {
  const db = openDb(env);
  await db.batch([
    db.delete(blockDocuments).where(eq(blockDocuments.blockTypeId, id)),
    db.delete(blockSchemas).where(eq(blockSchemas.blockTypeId, id)),
    db.delete(blockTypes).where(eq(blockTypes.id, id)),
  ]);
}

/** How many of these slugs are types of the system. */
export async function countSystemBlockTypes(env: Env, slugs: readonly string[]): Promise<number> {
  return openDb(env).$count(blockTypes, sql`${oneOf(blockTypes.slug, slugs)} AND ${blockTypes.isProtected}`);
}

function matches(key: BlockTypeKey): SQL {
  return "id" in key ? eq(blockTypes.id, key.id) : eq(blockTypes.slug, key.slug);
}

/** Upstream stores these two escaped, and its clients expect to read them so. */
function escaped(text: string | null | undefined): string | null {
  return text == null ? null : text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function unescaped(text: string | null | undefined): string | null {
  return text == null ? null : text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

function toBlockType(row: typeof blockTypes.$inferSelect): BlockType {
  return {
    id: row.id,
    created: toWireTime(row.created as EpochMs),
    updated: toWireTime(row.updated as EpochMs),
    name: row.name,
    slug: row.slug,
    logo_url: row.logoUrl,
    documentation_url: row.documentationUrl,
    description: row.description,
    code_example: row.codeExample,
    is_protected: row.isProtected,
  };
}
