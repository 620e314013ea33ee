/** Filters of blocks as SQL; see db/filters.ts for how filters are made. */
import { and, eq, or, type SQL, sql } from "drizzle-orm";
import type { BlockDocumentFilters } from "#protocol/block-documents";
import type { BlockSchemaFilter, BlockTypeFilter } from "#protocol/block-types";
import { contains, oneOf } from "./filters.ts";
import { blockDocuments, blockSchemas, blockTypes } from "./schema/blocks.ts";

type Condition = SQL | undefined;

/** The condition on `block_types` rows. */
export function blockTypesWhere(types: BlockTypeFilter, schemas: BlockSchemaFilter): Condition {
  const schema = schemaCondition(schemas);
  return and(
    typeCondition(types),
    schema && sql`${blockTypes.id} IN (SELECT ${blockSchemas.blockTypeId} FROM ${blockSchemas} WHERE ${schema})`,
  );
}

/** The condition on `block_schemas` rows. */
export function schemaCondition(filter: BlockSchemaFilter): Condition {
  if (!filter) return undefined;
  const wanted = filter.block_capabilities?.all_;
  return join(filter.operator, [
    filter.id?.any_ ? oneOf(blockSchemas.id, filter.id.any_) : undefined,
    filter.block_type_id?.any_ ? oneOf(blockSchemas.blockTypeId, filter.block_type_id.any_) : undefined,
    filter.version?.any_ ? oneOf(blockSchemas.version, filter.version.any_) : undefined,
    wanted && wanted.length > 0
      ? sql`NOT EXISTS (SELECT 1 FROM json_each(${JSON.stringify(wanted)}) AS wanted
          WHERE wanted.value NOT IN (SELECT value FROM json_each(${blockSchemas.capabilities})))`
      : undefined,
  ]);
}

/** The condition on `block_documents` rows. */
export function blockDocumentsWhere(filters: BlockDocumentFilters): Condition {
  const { block_documents: filter } = filters;
  const type = typeCondition(filters.block_types);
  const schema = schemaCondition(filters.block_schemas);
  // Anonymous documents are listed only if the filter says something about them, be it null.
  const isAnonymous = filter?.is_anonymous === undefined ? false : filter.is_anonymous?.eq_;
  return and(
    join(filter?.operator, [
      isAnonymous == null ? undefined : eq(blockDocuments.isAnonymous, isAnonymous),
      filter?.id?.any_ ? oneOf(blockDocuments.id, filter.id.any_) : undefined,
      filter?.block_type_id?.any_ ? oneOf(blockDocuments.blockTypeId, filter.block_type_id.any_) : undefined,
      filter?.name?.any_ ? oneOf(blockDocuments.name, filter.name.any_) : undefined,
      filter?.name?.like_ ? contains(blockDocuments.name, filter.name.like_) : undefined,
    ]),
    type && sql`${blockDocuments.blockTypeId} IN (SELECT ${blockTypes.id} FROM ${blockTypes} WHERE ${type})`,
    schema && sql`${blockDocuments.blockSchemaId} IN (SELECT ${blockSchemas.id} FROM ${blockSchemas} WHERE ${schema})`,
  );
}

function typeCondition(filter: BlockTypeFilter): Condition {
  if (!filter) return undefined;
  return and(
    filter.name?.like_ ? contains(blockTypes.name, filter.name.like_) : undefined,
    filter.slug?.any_ ? oneOf(blockTypes.slug, filter.slug.any_) : undefined,
  );
}

function join(operator: "and_" | "or_" | null | undefined, conditions: readonly Condition[]): Condition {
  return operator === "or_" ? or(...conditions) : and(...conditions);
}
