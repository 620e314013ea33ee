import { useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { readFlowRun } from "#protocol/flow-runs";
import type { FlowRunId } from "#protocol/ids";
import { read } from "../../api/read.ts";
import { type LiveRun, useRunStream } from "../../api/run-stream.ts";
import { useLayers } from "../../components/layers.ts";
import { Skeleton } from "../../elements/skeleton.tsx";
import { Tabs } from "../../elements/tabs.tsx";
import { useTitle } from "../../elements/title.ts";
import { Artifacts } from "./artifacts.tsx";
import { History } from "./history.tsx";
import { RunLog } from "./log/run-log.tsx";
import { Parameters } from "./parameters.tsx";
import { Related } from "./related.tsx";
import { RunHead } from "./run-head.tsx";
import type { RunSearch, Tab } from "./run-search.ts";
import { TaskPanel } from "./task-panel.tsx";
import { TaskTable } from "./task-table.tsx";
import { Timeline } from "./timeline/timeline.tsx";
import { WhatBroke } from "./what-broke.tsx";
import { Why } from "./why.tsx";

const Graph = lazy(() => import("./graph/graph.tsx").then(({ Graph }) => ({ default: Graph })));

const TAB_NAMES: readonly (readonly [Tab, string])[] = [
  ["timeline", "Timeline"],
  ["graph", "Graph"],
  ["tasks", "Tasks"],
  ["logs", "Logs"],
  ["parameters", "Parameters"],
  ["artifacts", "Artifacts"],
  ["related", "Related"],
  ["history", "History"],
];

export function FlowRunPage() {
  const runId = useParams({ from: "/app/runs/$runId" }).runId as FlowRunId;
  const search = useSearch({ from: "/app/runs/$runId" });
  const navigate = useNavigate({ from: "/runs/$runId" });
  const { lay, lift } = useLayers();
  const change = (next: RunSearch): void => {
    if (next.task !== undefined && next.task !== search.task) lay("task", () => next);
    else void navigate({ search: next, replace: next.tab === search.tab });
  };
  const { data } = useSuspenseQuery(read(readFlowRun, { params: { id: runId } }));
  const live = useRunStream(runId);
  const run = live.run ?? data;
  useTitle(run.name);
  const broken = run.state_type === "FAILED" || run.state_type === "CRASHED";
  const tab = search.tab ?? "timeline";
  return (
    <main className="page stack">
      <RunHead run={run} live={live} />
      {live.status === "deleted" && <p className="notice">This run was deleted.</p>}
      <Why run={run} />
      {broken && <WhatBroke run={run} live={live} onSearch={change} />}
      <section className="panel run-panel">
        <Tabs
          label="Parts of the run"
          tabs={TAB_NAMES.map(([value, text]) => [
            value,
            value === "tasks" ? `${text} ${live.tasks.size ? live.tasks.size.toLocaleString() : ""}` : text,
          ])}
          value={tab}
          onChange={(next) => change({ ...search, tab: next })}
        />
        <div className="tab-panel" role="tabpanel" aria-label={tab}>
          <TabContent tab={tab} run={run} live={live} search={search} onSearch={change} />
        </div>
      </section>
      {search.task && live.tasks.has(search.task) && (
        <TaskPanel run={run} live={live} taskId={search.task} onClose={() => lift("task")} onSearch={change} />
      )}
    </main>
  );
}

export interface RunPartProps {
  readonly run: LiveRun["run"] & object;
  readonly live: LiveRun;
  readonly search: RunSearch;
  readonly onSearch: (search: RunSearch) => void;
}

function TabContent({ tab, ...props }: RunPartProps & { readonly tab: Tab }) {
  if (tab === "timeline") return <Timeline {...props} />;
  if (tab === "tasks") return <TaskTable {...props} />;
  if (tab === "logs") return <RunLog {...props} />;
  if (tab === "parameters") return <Parameters run={props.run} />;
  if (tab === "artifacts") return <Artifacts runId={props.run.id} />;
  if (tab === "related") return <Related run={props.run} />;
  if (tab === "history") return <History run={props.run} />;
  return (
    <Suspense fallback={<Skeleton height="28rem" />}>
      <Graph {...props} />
    </Suspense>
  );
}
