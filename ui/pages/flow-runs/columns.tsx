import { Link } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import type { FlowRun } from "#protocol/flow-runs";
import type { DeploymentId, FlowId } from "#protocol/ids";
import { ROW_LINK } from "../../components/list-keys.ts";
import type { TABLE_FEATURES } from "../../components/virtual-table.tsx";
import { StateBadge } from "../../elements/state-badge.tsx";
import { Took } from "../../elements/took.tsx";
import { When } from "../../elements/when.tsx";

const helper = createColumnHelper<typeof TABLE_FEATURES, FlowRun>();

export interface RunNames {
  readonly flows: ReadonlyMap<FlowId, string>;
  readonly deployments: ReadonlyMap<DeploymentId, string>;
}

export const WIDTHS = {
  select: "2.25rem",
  state: "9.5rem",
  expected: "7.5rem",
  took: "6.5rem",
  deployment: "14%",
  flow: "16%",
  tags: "14%",
} as const;

export function runColumns(names: RunNames) {
  return helper.columns([
    helper.display({
      id: "select",
      header: ({ table }) => (
        <input
          type="checkbox"
          aria-label="Select all that are listed"
          checked={table.getIsAllRowsSelected()}
          onChange={table.getToggleAllRowsSelectedHandler()}
        />
      ),
      cell: ({ row }) => (
        <input
          type="checkbox"
          aria-label={`Select ${row.original.name}`}
          checked={row.getIsSelected()}
          onChange={row.getToggleSelectedHandler()}
        />
      ),
    }),
    helper.display({
      id: "state",
      header: "State",
      cell: ({ row: { original: run } }) => (
        <span title={run.state?.message ?? undefined}>
          <StateBadge type={run.state_type} name={run.state_name} />
        </span>
      ),
    }),
    helper.display({
      id: "name",
      header: "Run",
      cell: ({ row: { original: run } }) => (
        <Link to="/runs/$runId" params={{ runId: run.id }} {...ROW_LINK}>
          {run.name}
        </Link>
      ),
    }),
    helper.display({
      id: "flow",
      header: "Flow",
      cell: ({ row: { original: run } }) => names.flows.get(run.flow_id) ?? "",
    }),
    helper.display({
      id: "deployment",
      header: "Deployment",
      cell: ({ row: { original: run } }) => (run.deployment_id ? names.deployments.get(run.deployment_id) : ""),
    }),
    helper.display({
      id: "tags",
      header: "Tags",
      cell: ({ row: { original: run } }) => run.tags.join(", "),
    }),
    helper.display({
      id: "expected",
      header: "Start",
      cell: ({ row: { original: run } }) => <When at={run.start_time ?? run.expected_start_time} />,
    }),
    helper.display({
      id: "took",
      header: "Duration",
      cell: ({ row: { original: run } }) => <Took from={run.start_time} to={run.end_time} />,
    }),
  ]);
}
