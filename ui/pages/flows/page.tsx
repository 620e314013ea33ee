import { keepPreviousData, type UseQueryResult, useQueries } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import { useMemo } from "react";
import { deleteFlow, type Flow } from "#protocol/flows";
import { countDeploymentsOfFlows, type NextFlowRun, readNextRunsOfFlows } from "#protocol/ui-reads";
import { api } from "../../api/client.ts";
import { pagesOfIds } from "../../api/names.ts";
import { read } from "../../api/read.ts";
import { DeleteButton } from "../../components/delete-button.tsx";
import { ROW_LINK } from "../../components/list-keys.ts";
import { ListPage } from "../../components/list-page.tsx";
import { useRows } from "../../components/rows.ts";
import type { TABLE_FEATURES } from "../../components/virtual-table.tsx";
import { When } from "../../elements/when.tsx";
import { flowsQuery } from "./flows-query.ts";

const helper = createColumnHelper<typeof TABLE_FEATURES, Flow>();
const WIDTHS = { deployments: "9rem", next: "10rem", created: "9rem", actions: "6rem" } as const;

export function FlowsPage() {
  const { name } = useSearch({ from: "/app/flows" });
  const navigate = useNavigate({ from: "/flows" });
  const list = useRows(flowsQuery({ name }));
  const pages = pagesOfIds((list.rows ?? []).map(({ id }) => id));
  const deployments = useQueries({
    queries: pages.map((flow_ids) => ({
      ...read(countDeploymentsOfFlows, { body: { flow_ids } }),
      placeholderData: keepPreviousData,
    })),
    combine: merged<number>,
  });
  const next = useQueries({
    queries: pages.map((flow_ids) => ({
      ...read(readNextRunsOfFlows, { body: { flow_ids } }),
      placeholderData: keepPreviousData,
    })),
    combine: merged<NextFlowRun | null>,
  });
  const columns = useMemo(() => flowColumns(deployments, next), [deployments, next]);
  return (
    <ListPage
      title="Flows"
      name={name}
      onName={(next) => void navigate({ search: { name: next }, replace: true })}
      list={list}
      columns={columns}
      widths={WIDTHS}
      empty={<p>A flow appears here when it runs for the first time, or when it is deployed.</p>}
    />
  );
}

function merged<Value>(results: readonly UseQueryResult<Record<string, Value>>[]): Readonly<Record<string, Value>> {
  return Object.assign({}, ...results.map(({ data }) => data));
}

function flowColumns(
  deployments: Readonly<Record<string, number>>,
  next: Readonly<Record<string, NextFlowRun | null>>,
) {
  return helper.columns([
    helper.display({
      id: "name",
      header: "Flow",
      cell: ({ row: { original: flow } }) => (
        <Link to="/runs" search={{ flowId: flow.id }} {...ROW_LINK}>
          {flow.name}
        </Link>
      ),
    }),
    helper.display({
      id: "deployments",
      header: "Deployments",
      cell: ({ row: { original: flow } }) => (
        <Link to="/deployments" search={{ name: flow.name }}>
          {deployments[flow.id] ?? 0}
        </Link>
      ),
    }),
    helper.display({
      id: "next",
      header: "Next run",
      cell: ({ row: { original: flow } }) => (
        <When at={next[flow.id]?.next_scheduled_start_time ?? null} fallback="none" />
      ),
    }),
    helper.display({
      id: "created",
      header: "Made",
      cell: ({ row: { original: flow } }) => <When at={flow.created} />,
    }),
    helper.display({
      id: "actions",
      header: () => <span className="sr-only">Actions</span>,
      cell: ({ row: { original: flow } }) => (
        <DeleteButton
          what={`the flow ${flow.name}`}
          consequence="Its deployments are deleted, too. Its runs stay."
          onDelete={() => api.call(deleteFlow, { params: { id: flow.id } })}
        />
      ),
    }),
  ]);
}
