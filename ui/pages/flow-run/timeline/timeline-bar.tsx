import { Button } from "../../../elements/button.tsx";
import type { RunSearch } from "../run-search.ts";

export interface TimelineBarProps {
  readonly rows: number;
  readonly search: RunSearch;
  readonly onSearch: (search: RunSearch) => void;
  readonly isZoomed: boolean;
  readonly onWhole: () => void;
}

export function TimelineBar({ rows, search, onSearch, isZoomed, onWhole }: TimelineBarProps) {
  return (
    <div className="row spread">
      <span className="row quiet small">
        <span className="timeline-key" data-kind="wait" /> waited
        <span className="timeline-key" data-kind="run" /> ran
        <span>
          {rows.toLocaleString()} {rows === 1 ? "row" : "rows"}
        </span>
      </span>
      <span className="row">
        {isZoomed && (
          <Button size="small" onClick={onWhole}>
            Whole run
          </Button>
        )}
        <Button
          size="small"
          aria-pressed={search.errors === true}
          onClick={() => onSearch({ ...search, errors: search.errors ? undefined : true })}
        >
          {search.errors ? "Show all" : "Errors only"}
        </Button>
      </span>
    </div>
  );
}
