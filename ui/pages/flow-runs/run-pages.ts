/** The list of runs, page after page. */
import { infiniteQueryOptions } from "@tanstack/react-query";
import { filterFlowRuns } from "#protocol/flow-runs";
import { api } from "../../api/client.ts";
import { filtersOf } from "./filters-of.ts";
import { below, FIRST_PAGE, pageAfter } from "./run-page.ts";
import { DEFAULT_SORT, type RunsSearch } from "./runs-search.ts";

/** Rows that are read at a time. */
const PAGE_ROWS = 100;

export function runPages(search: RunsSearch) {
  const filters = filtersOf(search);
  const sort = search.sort ?? DEFAULT_SORT;
  return infiniteQueryOptions({
    queryKey: [filterFlowRuns.id, "pages", filters, sort] as const,
    queryFn: ({ pageParam, signal }) =>
      api.call(
        filterFlowRuns,
        { body: { ...below(filters, sort, pageParam), sort, limit: PAGE_ROWS } },
        { signal, idempotent: true },
      ),
    initialPageParam: FIRST_PAGE,
    getNextPageParam: (last, all) => (last.length < PAGE_ROWS ? null : pageAfter(all.flat(), sort)),
  });
}
