import * as Popover from "@radix-ui/react-popover";
import { LateInput } from "../../components/late-input.tsx";
import { SelectField } from "../../components/select-field.tsx";
import { TagsInput } from "../../components/tags-input.tsx";
import { TimeInput } from "../../components/time-input.tsx";
import { LEVELS, MADE_BY, STATE_NAMES, TEXTS, TIMES } from "./filter-words.ts";
import type { RunsSearch } from "./runs-search.ts";

export interface MoreFiltersProps {
  readonly search: RunsSearch;
  readonly onChange: (search: RunsSearch) => void;
}

const KEYS = [
  ...TEXTS.map(([key]) => key),
  ...TIMES.map(([key]) => key),
  ...(["stateNames", "anyTag", "untagged", "undeployed", "madeBy", "level"] as const),
];
const ANY = "";

/** The less common filters, out of sight until they are asked for. */
export function MoreFilters({ search, onChange }: MoreFiltersProps) {
  const count = KEYS.filter((key) => search[key] !== undefined).length;
  return (
    <Popover.Root>
      <Popover.Trigger asChild>
        <button type="button" className="button">
          More filters{count > 0 ? ` (${count})` : ""}
        </button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content className="menu filter-menu" align="start" sideOffset={4} aria-label="More filters">
          <What search={search} onChange={onChange} />
          <Kind search={search} onChange={onChange} />
          <fieldset className="filter-group">
            <legend>When</legend>
            {TIMES.map(([key, label]) => (
              <TimeInput
                key={key}
                label={label}
                value={search[key]}
                onChange={(at) => onChange({ ...search, [key]: at })}
              />
            ))}
          </fieldset>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function What({ search, onChange }: MoreFiltersProps) {
  return (
    <fieldset className="filter-group">
      <legend>What</legend>
      {TEXTS.map(([key, label]) => (
        <LateInput
          key={key}
          label={label}
          placeholder={label}
          value={search[key] ?? ""}
          onChange={(text) => onChange({ ...search, [key]: text || undefined })}
        />
      ))}
    </fieldset>
  );
}

function Kind({ search, onChange }: MoreFiltersProps) {
  return (
    <fieldset className="filter-group">
      <legend>Of which kind</legend>
      <TagsInput
        tags={search.stateNames ?? []}
        placeholder="Name of a state"
        label="Also states of this name"
        suggestions={STATE_NAMES}
        isFilter={false}
        onChange={(names) => onChange({ ...search, stateNames: names.length > 0 ? names : undefined })}
      />
      <TagsInput
        tags={search.anyTag ?? []}
        placeholder="Any of these tags"
        label="With this tag or another of these"
        isFilter={false}
        onChange={(tags) => onChange({ ...search, anyTag: tags.length > 0 ? tags : undefined })}
      />
      <Check
        label="Without tags"
        checked={search.untagged === true}
        onChange={(untagged) => onChange({ ...search, untagged: untagged || undefined })}
      />
      <SelectField
        label="Made by"
        options={{ [ANY]: "anybody", ...MADE_BY }}
        value={search.madeBy ?? ANY}
        onChange={(madeBy) => onChange({ ...search, madeBy: madeBy === ANY ? undefined : madeBy })}
      />
      <SelectField
        label="Subflows"
        options={{ [ANY]: "With subflows", ...LEVELS }}
        value={search.level ?? ANY}
        onChange={(level) => onChange({ ...search, level: level === ANY ? undefined : level })}
      />
      <Check
        label="Without a deployment"
        checked={search.undeployed === true}
        onChange={(undeployed) => onChange({ ...search, undeployed: undeployed || undefined })}
      />
    </fieldset>
  );
}

interface CheckProps {
  readonly label: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}

function Check({ label, checked, onChange }: CheckProps) {
  return (
    <label className="check">
      <input type="checkbox" checked={checked} onChange={({ target }) => onChange(target.checked)} /> {label}
    </label>
  );
}
