import { filterLatestArtifacts } from "#protocol/artifacts";
import { LIVE_MS } from "../../api/read.ts";
import { readPages } from "../../api/read-pages.ts";
import type { ListSearch } from "../../components/list-search.ts";

export function artifactsQuery({ name }: ListSearch) {
  const artifacts = { type: { not_any_: ["result"] }, ...(name && { key: { like_: name } }) };
  return readPages(filterLatestArtifacts, { body: { artifacts, sort: "UPDATED_DESC" } }, LIVE_MS * 2);
}
