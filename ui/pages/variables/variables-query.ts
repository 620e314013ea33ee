import { filterVariables } from "#protocol/variables";
import { readPages } from "../../api/read-pages.ts";
import type { ListSearch } from "../../components/list-search.ts";

export function variablesQuery({ name }: ListSearch) {
  const body = { variables: name ? { name: { like_: name } } : {}, sort: "NAME_ASC" } as const;
  return readPages(filterVariables, { body });
}
