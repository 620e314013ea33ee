import * as Popover from "@radix-ui/react-popover";
import type { FlowRunSort } from "#protocol/filters";
import { LateInput } from "../../components/late-input.tsx";
import { FILTER } from "../../components/list-keys.ts";
import { TagsInput } from "../../components/tags-input.tsx";
import { TimeInput } from "../../components/time-input.tsx";
import { Button } from "../../elements/button.tsx";
import { OnlyOf } from "./only-of.tsx";
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

/** Less common filters, each a text. */
const TEXTS = [
  ["flow", "Flow"],
  ["deployment", "Deployment"],
  ["pool", "Work pool"],
  ["queue", "Work queue"],
  ["version", "Version of the flow"],
] as const;
const HIDDEN = [...TEXTS.map(([key]) => key), "since", "until"] as const;

/** What is listed, all of it kept in the address. */
export function RunFilters({ search, onChange }: RunFiltersProps) {
  const hidden = HIDDEN.filter((key) => search[key] !== undefined).length;
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
      <Popover.Root>
        <Popover.Trigger asChild>
          <button type="button" className="button">
            More filters{hidden > 0 ? ` (${hidden})` : ""}
          </button>
        </Popover.Trigger>
        <Popover.Portal>
          <Popover.Content className="menu filter-menu" align="start" sideOffset={4}>
            {TEXTS.map(([key, label]) => (
              <LateInput
                key={key}
                label={label}
                placeholder={label}
                value={search[key] ?? ""}
                onChange={(text) => onChange({ ...search, [key]: text || undefined })}
              />
            ))}
            <TimeInput
              label="Started after"
              value={search.since}
              onChange={(since) => onChange({ ...search, since })}
            />
            <TimeInput
              label="Started before"
              value={search.until}
              onChange={(until) => onChange({ ...search, until })}
            />
          </Popover.Content>
        </Popover.Portal>
      </Popover.Root>
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
      <OnlyOf search={search} onChange={onChange} />
      {isFiltered(search) && (
        <Button kind="plain" onClick={() => onChange({ sort: search.sort, plot: search.plot })}>
          Clear
        </Button>
      )}
    </search>
  );
}
