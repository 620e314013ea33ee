import { filterBlockDocuments } from "#protocol/block-documents";
import { filterBlockTypes } from "#protocol/block-types";
import { LIMITS } from "#protocol/limits";
import { read } from "../../api/read.ts";
import { readPages } from "../../api/read-pages.ts";
import type { ListSearch } from "../../components/list-search.ts";

export function blocksQuery({ name }: ListSearch) {
  const block_documents = { is_anonymous: { eq_: false }, ...(name && { name: { like_: name } }) };
  return readPages(filterBlockDocuments, { body: { block_documents, sort: "BLOCK_TYPE_AND_NAME_ASC" } });
}

export const blockTypesQuery = read(filterBlockTypes, { body: { limit: LIMITS.pageRows } });
