import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { filterFlows } from "#protocol/flows";
import { LIMITS } from "#protocol/limits";
import { LIVE_MS, read } from "../../api/read.ts";
import type { ListSearch } from "../../components/list-search.ts";

export function flowsQuery({ name }: ListSearch) {
  const body = { flows: name ? { name: { like_: name } } : {}, sort: "NAME_ASC", limit: LIMITS.pageRows } as const;
  return queryOptions({
    ...read(filterFlows, { body }),
    placeholderData: keepPreviousData,
    refetchInterval: LIVE_MS * 3,
  });
}
