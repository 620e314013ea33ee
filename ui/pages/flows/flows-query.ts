import { filterFlows } from "#protocol/flows";
import { LIVE_MS } from "../../api/read.ts";
import { readPages } from "../../api/read-pages.ts";
import type { ListSearch } from "../../components/list-search.ts";

export function flowsQuery({ name }: ListSearch) {
  const body = { flows: name ? { name: { like_: name } } : {}, sort: "NAME_ASC" } as const;
  return readPages(filterFlows, { body }, LIVE_MS * 3);
}
