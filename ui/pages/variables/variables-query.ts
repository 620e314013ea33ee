import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { LIMITS } from "#protocol/limits";
import { filterVariables } from "#protocol/variables";
import { read } from "../../api/read.ts";
import type { ListSearch } from "../../components/list-search.ts";

export function variablesQuery({ name }: ListSearch) {
  const body = { variables: name ? { name: { like_: name } } : {}, sort: "NAME_ASC", limit: LIMITS.pageRows } as const;
  return queryOptions({ ...read(filterVariables, { body }), placeholderData: keepPreviousData });
}
