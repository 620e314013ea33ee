import { Link } from "@tanstack/react-router";
import { Button } from "../../elements/button.tsx";
import { isFiltered, type RunsSearch } from "./runs-search.ts";

export interface NoRunsProps {
  readonly search: RunsSearch;
  readonly onChange: (search: RunsSearch) => void;
}

/** In place of a table without rows: what to do about it. */
export function NoRuns({ search, onChange }: NoRunsProps) {
  return (
    <div className="panel empty">
      {isFiltered(search) ? (
        <>
          <p>No run is like this.</p>
          <Button onClick={() => onChange({ sort: search.sort, plot: search.plot })}>Clear the filters</Button>
        </>
      ) : (
        <p>
          Nothing has run yet. The <Link to="/">dashboard</Link> has commands that make a run, and{" "}
          <Link to="/deployments">deployments</Link> are started from their pages.
        </p>
      )}
    </div>
  );
}
