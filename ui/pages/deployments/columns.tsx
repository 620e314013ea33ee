import { Link } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import type { Deployment } from "#protocol/deployments";
import type { FlowId } from "#protocol/ids";
import { ROW_LINK } from "../../components/list-keys.ts";
import type { TABLE_FEATURES } from "../../components/virtual-table.tsx";
import { When } from "../../elements/when.tsx";
import { scheduleText } from "../deployment/schedule-text.ts";

const helper = createColumnHelper<typeof TABLE_FEATURES, Deployment>();
export const WIDTHS = { flow: "20%", schedule: "22%", pool: "14%", tags: "12%", updated: "7rem" } as const;

export function deploymentColumns(flows: ReadonlyMap<FlowId, string>) {
  return helper.columns([
    helper.display({
      id: "name",
      header: "Deployment",
      cell: ({ row: { original: one } }) => (
        <Link to="/deployments/$deploymentId" params={{ deploymentId: one.id }} {...ROW_LINK}>
          {one.name}
        </Link>
      ),
    }),
    helper.display({ id: "flow", header: "Flow", cell: ({ row: { original: one } }) => flows.get(one.flow_id) ?? "" }),
    helper.display({
      id: "schedule",
      header: "Schedule",
      cell: ({ row: { original: one } }) =>
        one.paused ? (
          <span className="tag">Paused</span>
        ) : (
          one.schedules.map(scheduleText).join("; ") || <span className="quiet">none</span>
        ),
    }),
    helper.display({ id: "pool", header: "Work pool", cell: ({ row: { original: one } }) => one.work_pool_name ?? "" }),
    helper.display({ id: "tags", header: "Tags", cell: ({ row: { original: one } }) => one.tags.join(", ") }),
    helper.display({
      id: "updated",
      header: "Changed",
      cell: ({ row: { original: one } }) => <When at={one.updated} />,
    }),
  ]);
}
