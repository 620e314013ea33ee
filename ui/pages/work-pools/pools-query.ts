import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { LIMITS } from "#protocol/limits";
import { filterWorkPools } from "#protocol/work-pools";
import { LIVE_MS, read } from "../../api/read.ts";
import type { ListSearch } from "../../components/list-search.ts";

export function poolsQuery({ name }: ListSearch) {
  const body = { work_pools: name ? { name: { like_: name } } : {}, limit: LIMITS.pageRows };
  return queryOptions({
    ...read(filterWorkPools, { body }),
    placeholderData: keepPreviousData,
    refetchInterval: LIVE_MS,
  });
}
