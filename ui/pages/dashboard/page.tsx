import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { Dashboard } from "#protocol/dashboard";
import { filterFlowRuns } from "#protocol/flow-runs";
import { LIVE_MS, read } from "../../api/read.ts";
import { TagsInput } from "../../components/tags-input.tsx";
import { Button } from "../../elements/button.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Segments } from "../../elements/segments.tsx";
import { PageSkeleton, Skeleton } from "../../elements/skeleton.tsx";
import { exactText } from "../../elements/spans.ts";
import { useTitle } from "../../elements/title.ts";
import { type DashboardSearch, DEFAULT_SPAN, dashboardQuery, type Span } from "./dashboard-query.ts";
import { FailingDeployments } from "./failing-deployments.tsx";
import { Figures } from "./figures.tsx";
import { FirstSteps } from "./first-steps.tsx";
import { Pools } from "./pools.tsx";
import { RunLines } from "./run-lines.tsx";
import { RunsOverTime } from "./runs-over-time.tsx";

const SPAN_NAMES: readonly (readonly [Span, string])[] = [
  ["1h", "1 hour"],
  ["24h", "24 hours"],
  ["7d", "7 days"],
  ["30d", "30 days"],
];

export function DashboardPage() {
  useTitle("Dashboard");
  const search = useSearch({ from: "/app/" });
  const navigate = useNavigate({ from: "/" });
  const { data, error, refetch } = useQuery(dashboardQuery(search));
  const isUntouched = useIsUntouched(data, search);
  const change = (next: DashboardSearch): void => void navigate({ search: next });
  if (!data) {
    if (!error) return <PageSkeleton />;
    return (
      <main className="page stack">
        <h1>Dashboard</h1>
        <ErrorNote title="The dashboard could not be read" error={error} onRetry={() => void refetch()} />
      </main>
    );
  }
  return (
    <main className="page stack">
      <div className="page-head" style={{ margin: 0 }}>
        <h1>Dashboard</h1>
        <div className="row">
          <TagsInput
            tags={search.tags ?? []}
            onChange={(tags) => change({ ...search, tags: tags.length ? tags : undefined })}
          />
          <Segments
            label="Span of time"
            options={SPAN_NAMES}
            value={search.since ? null : (search.span ?? DEFAULT_SPAN)}
            onChange={(span) => change({ tags: search.tags, span })}
          />
        </div>
      </div>
      {search.since && (
        <p className="row">
          {exactText(Date.parse(data.since))} to {exactText(Date.parse(data.until))}
          <Button size="small" onClick={() => change({ tags: search.tags, span: search.span })}>
            Zoom out
          </Button>
        </p>
      )}
      {isUntouched === null && <Skeleton height="60vh" />}
      {isUntouched && <FirstSteps pools={data.work_pools} />}
      {isUntouched === false && <Overview data={data} search={search} onSearch={change} />}
    </main>
  );
}

/** Whether no run has ever been. A span or tags without runs say nothing of it. Null while it is asked. */
function useIsUntouched(data: Dashboard | undefined, { tags, since }: DashboardSearch): boolean | null {
  const hasRuns = !data || data.totals.runs + data.now.running + data.now.pending + data.now.scheduled > 0;
  const mayBe = !hasRuns && !tags && !since;
  const query = { ...read(filterFlowRuns, { body: { limit: 1 } }), refetchInterval: LIVE_MS, enabled: mayBe };
  const { data: runs, error } = useQuery(query);
  if (!mayBe || error) return false;
  return runs === undefined ? null : runs.length === 0;
}

interface OverviewProps {
  readonly data: Dashboard;
  readonly search: DashboardSearch;
  readonly onSearch: (search: DashboardSearch) => void;
}

function Overview({ data, search, onSearch }: OverviewProps) {
  return (
    <>
      <Figures data={data} />
      <RunsOverTime history={data.history} onZoom={(since, until) => onSearch({ ...search, since, until })} />
      <div className="columns">
        <FailingDeployments deployments={data.failing_deployments} />
        <RunLines title="Running now" runs={data.now.runs} time="start_time" none="Nothing is running." />
        <RunLines title="Next" runs={data.now.next} time="expected_start_time" none="Nothing is scheduled." />
        <Pools pools={data.work_pools} />
      </div>
    </>
  );
}
