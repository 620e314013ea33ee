import { createColumnHelper } from "@tanstack/react-table";
import { useMemo } from "react";
import type { TaskRun } from "#protocol/task-runs";
import { ROW_LINK } from "../../components/list-keys.ts";
import { type TABLE_FEATURES, VirtualTable } from "../../components/virtual-table.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";
import { durationText } from "../../elements/spans.ts";
import { StateBadge } from "../../elements/state-badge.tsx";
import { Took } from "../../elements/took.tsx";
import { When } from "../../elements/when.tsx";
import { noTasks } from "./no-tasks.ts";
import type { RunPartProps } from "./page.tsx";

const helper = createColumnHelper<typeof TABLE_FEATURES, TaskRun>();
const WIDTHS = { state: "10rem", started: "8rem", waited: "7rem", took: "7rem", attempts: "6rem" } as const;

/** The run's task runs, in the order in which they were to start. */
export function TaskTable({ live, search, onSearch }: RunPartProps) {
  const rows = useMemo(
    () => [...live.tasks.values()].sort((a, b) => ((a.start_time ?? a.created) < (b.start_time ?? b.created) ? -1 : 1)),
    [live.tasks],
  );
  const columns = useMemo(
    () =>
      helper.columns([
        helper.display({
          id: "state",
          header: "State",
          cell: ({ row: { original: task } }) => <StateBadge type={task.state_type} name={task.state_name} />,
        }),
        helper.display({
          id: "name",
          header: "Task run",
          cell: ({ row: { original: task } }) => (
            <button type="button" className="link" onClick={() => onSearch({ ...search, task: task.id })} {...ROW_LINK}>
              {task.name}
            </button>
          ),
        }),
        helper.display({
          id: "started",
          header: "Started",
          cell: ({ row: { original: task } }) => <When at={task.start_time} />,
        }),
        helper.display({
          id: "waited",
          header: "Waited",
          cell: ({ row: { original: task } }) => durationText(task.estimated_start_time_delta),
        }),
        helper.display({
          id: "took",
          header: "Took",
          cell: ({ row: { original: task } }) => <Took from={task.start_time} to={task.end_time} />,
        }),
        helper.display({ id: "attempts", header: "Attempts", cell: ({ row: { original: task } }) => task.run_count }),
      ]),
    [search, onSearch],
  );
  if (live.run === null) return <Skeleton height="18rem" />;
  if (rows.length === 0) return <p className="empty">{noTasks(live.run)}</p>;
  return (
    <VirtualTable
      label="Task runs"
      rows={rows}
      total={rows.length}
      columns={columns}
      widths={WIDTHS}
      minWidth="42rem"
      maxHeight="32rem"
    />
  );
}
