import { filterWorkPools } from "#protocol/work-pools";
import { LIVE_MS } from "../../api/read.ts";
import { readPages } from "../../api/read-pages.ts";
import type { ListSearch } from "../../components/list-search.ts";

export function poolsQuery({ name }: ListSearch) {
  const body = { work_pools: name ? { name: { like_: name } } : {} };
  return readPages(filterWorkPools, { body }, LIVE_MS);
}
