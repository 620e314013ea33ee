import type { FlowRunSort } from "#protocol/filters";
import { LateInput } from "../../components/late-input.tsx";
import { FILTER } from "../../components/list-keys.ts";
import { TagsInput } from "../../components/tags-input.tsx";
import { Button } from "../../elements/button.tsx";
import { FilterChips } from "./filter-chips.tsx";
import { MoreFilters } from "./more-filters.tsx";
import { DEFAULT_SORT, isFiltered, type RunsSearch } from "./runs-search.ts";
import { StateMenu } from "./state-menu.tsx";

export interface RunFiltersProps {
  readonly search: RunsSearch;
  readonly onChange: (search: RunsSearch) => void;
}

const SORTS: readonly (readonly [FlowRunSort, string])[] = [
  ["EXPECTED_START_TIME_DESC", "Newest first"],
  ["EXPECTED_START_TIME_ASC", "Oldest first"],
  ["START_TIME_DESC", "Last started first"],
  ["END_TIME_DESC", "Last ended first"],
  ["NAME_ASC", "By name"],
];

/** What is listed, all of it kept in the address. */
export function RunFilters({ search, onChange }: RunFiltersProps) {
  return (
    <search className="row">
      <div style={{ width: "16rem", maxWidth: "100%" }}>
        <LateInput
          label="Name of the run"
          placeholder="Name of the run  ( / )"
          value={search.name ?? ""}
          onChange={(name) => onChange({ ...search, name: name || undefined })}
          {...FILTER}
        />
      </div>
      <StateMenu
        states={search.state ?? []}
        onChange={(state) => onChange({ ...search, state: state.length ? state : undefined })}
      />
      <TagsInput
        tags={search.tags ?? []}
        onChange={(tags) => onChange({ ...search, tags: tags.length ? tags : undefined })}
      />
      <MoreFilters search={search} onChange={onChange} />
      <select
        className="select"
        aria-label="Order"
        value={search.sort ?? DEFAULT_SORT}
        onChange={(event) => onChange({ ...search, sort: event.target.value as FlowRunSort })}
      >
        {SORTS.map(([sort, text]) => (
          <option key={sort} value={sort}>
            {text}
          </option>
        ))}
      </select>
      <FilterChips search={search} onChange={onChange} />
      {isFiltered(search) && (
        <Button kind="plain" onClick={() => onChange({ sort: search.sort, plot: search.plot })}>
          Clear
        </Button>
      )}
    </search>
  );
}
