import { sql } from "drizzle-orm";
import { index, integer, real, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

export const blockTypes = sqliteTable("block_types", {
  id: text().primaryKey(),
  name: text().notNull(),
  slug: text().notNull().unique(),
  logoUrl: text(),
  documentationUrl: text(),
  description: text(),
  codeExample: text(),
  isProtected: integer({ mode: "boolean" }).notNull().default(false),
  created: real().notNull(),
  updated: real().notNull(),
});

export const blockSchemas = sqliteTable(
  "block_schemas",
  {
    id: text().primaryKey(),
    checksum: text().notNull(),
    version: text().notNull(),
    blockTypeId: text().notNull(),
    /** JSON with exact numbers, without the definitions of other blocks. */
    fields: text().notNull(),
    /** Which schemas of other blocks stand under which property. */
    nested: text({ mode: "json" }).$type<NestedSchema[]>().notNull().default([]),
    capabilities: text({ mode: "json" }).$type<string[]>().notNull().default([]),
    created: real().notNull(),
    updated: real().notNull(),
  },
  (table) => [
    uniqueIndex("block_schemas_checksum").on(table.checksum, table.version),
    index("block_schemas_type").on(table.blockTypeId),
  ],
);

/** A property of a block schema that holds another block. A union has several entries. */
export interface NestedSchema {
  readonly property: string;
  readonly slug: string;
  readonly checksum: string;
}

export const blockDocuments = sqliteTable(
  "block_documents",
  {
    id: text().primaryKey(),
    name: text().notNull(),
    blockTypeId: text().notNull(),
    /** For the order of lists; the name of a type never changes. */
    blockTypeName: text().notNull(),
    blockSchemaId: text().notNull(),
    isAnonymous: integer({ mode: "boolean" }).notNull().default(false),
    /** JSON with exact numbers, in which every secret is obfuscated. */
    shown: text().notNull(),
    /** The secrets and where they stand, encrypted; null if there are none. */
    secrets: text(),
    /** Which master key `secrets` needs. */
    secretsKeyId: text(),
    /** Ids of other documents by the key of the data under which they stand. */
    nested: text({ mode: "json" }).$type<Record<string, string>>().notNull().default({}),
    /** Counts changes, so that two at once do not undo each other. */
    revision: integer().notNull().default(0),
    created: real().notNull(),
    updated: real().notNull(),
  },
  (table) => [
    uniqueIndex("block_documents_name").on(table.blockTypeId, table.name),
    index("block_documents_key").on(table.secretsKeyId).where(sql`secrets_key_id IS NOT NULL`),
  ],
);
