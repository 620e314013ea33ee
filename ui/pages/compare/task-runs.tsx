import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import { useMemo } from "react";
import { type Dependency, readFlowRunDependencies } from "#protocol/flow-run-graph";
import type { FlowRun } from "#protocol/flow-runs";
import type { FlowRunId } from "#protocol/ids";
import { read } from "../../api/read.ts";
import { type TABLE_FEATURES, VirtualTable } from "../../components/virtual-table.tsx";
import { Button } from "../../elements/button.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";
import { StateBadge } from "../../elements/state-badge.tsx";
import { Took } from "../../elements/took.tsx";
import { pairs, type TaskPair } from "./differences.ts";

interface PairRow extends TaskPair<Dependency> {
  readonly id: string;
  readonly isDifferent: boolean;
}

const helper = createColumnHelper<typeof TABLE_FEATURES, PairRow>();
const WIDTHS = { name: "14rem" } as const;

/** The task runs of both runs side by side, all of them. */
export function TaskRuns({ left, right }: { readonly left: FlowRun; readonly right: FlowRun }) {
  const of = (id: FlowRunId) => read(readFlowRunDependencies, { params: { id } });
  const ofLeft = useQuery(of(left.id));
  const ofRight = useQuery(of(right.id));
  const { a, b, differing } = useSearch({ from: "/app/compare" });
  const navigate = useNavigate({ from: "/compare" });
  const rows = useMemo(() => rowsOf(ofLeft.data ?? [], ofRight.data ?? []), [ofLeft.data, ofRight.data]);
  const columns = useMemo(() => pairColumns(left.name, right.name), [left.name, right.name]);
  const error = ofLeft.error ?? ofRight.error;
  const different = rows.filter(({ isDifferent }) => isDifferent);
  const shown = differing ? different : rows;
  return (
    <section>
      <div className="row spread">
        <h2>Task runs</h2>
        {rows.length > 0 && (
          <Button
            size="small"
            aria-pressed={differing === true}
            onClick={() =>
              void navigate({
                search: { a, b, differing: differing ? undefined : true },
                replace: true,
                resetScroll: false,
              })
            }
          >
            {differing ? `Show all ${rows.length}` : `Only the ${different.length} that differ`}
          </Button>
        )}
      </div>
      {error && <ErrorNote title="The task runs could not be read" error={error} />}
      {!error && (!ofLeft.data || !ofRight.data) && <Skeleton height="12rem" />}
      {ofLeft.data && ofRight.data && shown.length === 0 && (
        <p className="panel empty">{rows.length === 0 ? "Neither had a task." : "All went the same way."}</p>
      )}
      {shown.length > 0 && (
        <VirtualTable
          label="Task runs"
          rows={shown}
          total={shown.length}
          columns={columns}
          widths={WIDTHS}
          minWidth="40rem"
          maxHeight="40rem"
        />
      )}
    </section>
  );
}

function rowsOf(left: readonly Dependency[], right: readonly Dependency[]): PairRow[] {
  return pairs(inOrder(left), inOrder(right)).map((pair) => ({
    ...pair,
    id: pair.name,
    isDifferent: pair.left?.state?.type !== pair.right?.state?.type,
  }));
}

function inOrder(tasks: readonly Dependency[]): Dependency[] {
  const start = (task: Dependency): string => task.start_time ?? task.expected_start_time ?? "";
  return [...tasks].sort((a, b) => (start(a) < start(b) ? -1 : 1));
}

function pairColumns(left: string, right: string) {
  return helper.columns([
    helper.display({
      id: "name",
      header: () => <span className="sr-only">Task run</span>,
      cell: ({ row: { original: one } }) => (
        <>
          {one.name} {one.isDifferent && <span className="tag">differs</span>}
        </>
      ),
    }),
    helper.display({ id: "left", header: left, cell: ({ row }) => <TaskCell task={row.original.left} /> }),
    helper.display({ id: "right", header: right, cell: ({ row }) => <TaskCell task={row.original.right} /> }),
  ]);
}

function TaskCell({ task }: { readonly task: Dependency | null }) {
  if (!task) return <span className="quiet">not there</span>;
  return (
    <span className="row">
      <StateBadge type={task.state?.type ?? null} name={task.state?.name ?? null} />
      <span className="quiet">
        <Took from={task.start_time} to={task.end_time} />
      </span>
    </span>
  );
}
