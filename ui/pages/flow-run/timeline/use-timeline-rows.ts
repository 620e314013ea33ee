import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import { readFlowRunDependencies } from "#protocol/flow-run-graph";
import { readTaskRunStates } from "#protocol/task-runs";
import { LIVE_MS, read } from "../../../api/read.ts";
import type { LiveRun } from "../../../api/run-stream.ts";
import { attemptRows, innerRow, rowOf, type TimelineRow } from "./rows.ts";

/** The rows that are shown, those below an open one after it. */
export function useTimelineRows(
  live: LiveRun,
  opened: ReadonlySet<string>,
  errorsOnly: boolean,
): readonly TimelineRow[] {
  const open = useMemo(() => [...live.tasks.values()].filter(({ id }) => opened.has(id)), [live.tasks, opened]);
  const attempts = useQueries({
    queries: open.map(({ id, state_id }) => read(readTaskRunStates, { query: { task_run_id: id } }, state_id)),
    combine: dataOf,
  });
  const subflows = useQueries({
    queries: open.map(({ state, end_time }) => ({
      ...read(readFlowRunDependencies, { params: { id: state?.state_details.child_flow_run_id ?? "" } }, end_time),
      enabled: state?.state_details.child_flow_run_id != null,
      refetchInterval: end_time === null ? LIVE_MS : (false as const),
    })),
    combine: dataOf,
  });
  return useMemo(() => {
    const rows: TimelineRow[] = [];
    for (const task of [...live.tasks.values()].sort(byStart)) {
      if (errorsOnly && task.state_type !== "FAILED" && task.state_type !== "CRASHED") continue;
      rows.push(rowOf(task));
      const at = open.findIndex(({ id }) => id === task.id);
      if (at === -1) continue;
      if (task.run_count > 1) rows.push(...attemptRows(task, attempts[at] ?? []));
      const child = task.state?.state_details.child_flow_run_id;
      if (child == null) continue;
      for (const inner of [...(subflows[at] ?? [])].sort(byStart)) rows.push(innerRow(inner, child));
    }
    return rows;
  }, [live.tasks, open, attempts, subflows, errorsOnly]);
}

function dataOf<T>(results: readonly { readonly data: T }[]): T[] {
  return results.map(({ data }) => data);
}

type Starting = { readonly start_time: string | null; readonly expected_start_time: string | null };

/** What has not started comes after what has. */
function byStart(a: Starting, b: Starting): number {
  if ((a.start_time === null) !== (b.start_time === null)) return a.start_time === null ? 1 : -1;
  const [left, right] = [a.start_time ?? a.expected_start_time ?? "", b.start_time ?? b.expected_start_time ?? ""];
  return left < right ? -1 : left > right ? 1 : 0;
}
