import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { RowSelectionState } from "@tanstack/react-table";
import { useMemo, useState } from "react";
import { countFlowRuns } from "#protocol/flow-runs";
import { useDeploymentNames, useFlowNames } from "../../api/names.ts";
import { LIVE_MS, read } from "../../api/read.ts";
import { VirtualTable } from "../../components/virtual-table.tsx";
import { Button } from "../../elements/button.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";
import { useTitle } from "../../elements/title.ts";
import { BulkActions } from "./bulk-actions.tsx";
import { runColumns, WIDTHS } from "./columns.tsx";
import { filtersOf } from "./filters-of.ts";
import { NoRuns } from "./no-runs.tsx";
import { RunFilters } from "./run-filters.tsx";
import { runPages } from "./run-pages.ts";
import { RunPlot } from "./run-plot.tsx";
import type { RunsSearch } from "./runs-search.ts";
import { Views } from "./views.tsx";

export function FlowRunsPage() {
  useTitle("Runs");
  const search = useSearch({ from: "/app/runs" });
  const navigate = useNavigate({ from: "/runs" });
  const change = (next: RunsSearch): void => void navigate({ search: next, replace: true });
  const { data: total } = useQuery({
    ...read(countFlowRuns, { body: filtersOf(search) }),
    refetchInterval: LIVE_MS,
    placeholderData: keepPreviousData,
  });
  return (
    <main className="page stack">
      <div className="page-head" style={{ margin: 0 }}>
        <h1>
          Runs <span className="quiet small">{total ?? ""}</span>
        </h1>
        <div className="row">
          <Button
            aria-pressed={search.future === true}
            onClick={() => change({ ...search, future: search.future ? undefined : true })}
          >
            {search.future ? "Hide later runs" : "Later runs"}
          </Button>
          <Button
            aria-pressed={search.plot === true}
            onClick={() => change({ ...search, plot: search.plot ? undefined : true })}
          >
            {search.plot ? "Hide the plot" : "Plot"}
          </Button>
          <Views search={search} onChange={(next) => void navigate({ search: next })} />
        </div>
      </div>
      <RunFilters search={search} onChange={change} />
      {search.plot && <RunPlot filters={filtersOf(search)} />}
      <Runs search={search} total={total ?? null} onChange={change} />
    </main>
  );
}

interface RunsProps {
  readonly search: RunsSearch;
  readonly total: number | null;
  readonly onChange: (search: RunsSearch) => void;
}

function Runs({ search, total, onChange }: RunsProps) {
  const pages = useInfiniteQuery({
    ...runPages(search),
    placeholderData: keepPreviousData,
    // Further down, rows that move would be in the way of whoever reads them.
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 1) === 1 ? LIVE_MS : false),
  });
  const [selection, setSelection] = useState<RowSelectionState>({});
  const rows = useMemo(() => pages.data?.pages.flat() ?? [], [pages.data]);
  const flows = useFlowNames(rows.map(({ flow_id }) => flow_id));
  const deployments = useDeploymentNames(rows.map(({ deployment_id }) => deployment_id));
  const columns = useMemo(() => runColumns({ flows, deployments }), [flows, deployments]);
  if (pages.isPending) return <Skeleton height="60vh" />;
  if (pages.error && !pages.data) {
    return <ErrorNote title="The runs could not be read" error={pages.error} onRetry={() => void pages.refetch()} />;
  }
  if (rows.length === 0) return <NoRuns search={search} onChange={onChange} />;
  const selected = rows.filter(({ id }) => selection[id]);
  const more = (): void => {
    if (pages.hasNextPage && !pages.isFetchingNextPage) void pages.fetchNextPage();
  };
  return (
    <>
      {selected.length > 0 && <BulkActions runs={selected} onDone={() => setSelection({})} />}
      <VirtualTable
        label="Runs"
        rows={rows}
        total={total}
        columns={columns}
        widths={WIDTHS}
        minWidth="60rem"
        selection={selection}
        onSelection={setSelection}
        onEnd={more}
      />
    </>
  );
}
