import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { filterLatestArtifacts } from "#protocol/artifacts";
import { LIMITS } from "#protocol/limits";
import { LIVE_MS, read } from "../../api/read.ts";
import type { ListSearch } from "../../components/list-search.ts";

export function artifactsQuery({ name }: ListSearch) {
  const artifacts = { type: { not_any_: ["result"] }, ...(name && { key: { like_: name } }) };
  return queryOptions({
    ...read(filterLatestArtifacts, { body: { artifacts, sort: "UPDATED_DESC", limit: LIMITS.pageRows } }),
    placeholderData: keepPreviousData,
    refetchInterval: LIVE_MS * 2,
  });
}
