import { queryOptions } from "@tanstack/react-query";
import { filterConcurrencyLimitsV2 } from "#protocol/concurrency-limits";
import { LIMITS } from "#protocol/limits";
import { LIVE_MS, read } from "../../api/read.ts";

export const limitsQuery = queryOptions({
  ...read(filterConcurrencyLimitsV2, { body: { limit: LIMITS.pageRows } }),
  refetchInterval: LIVE_MS,
});
