import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import { LIMITS } from "#protocol/limits";
import { filterTaskRuns, readTaskRunStates, type TaskRun } from "#protocol/task-runs";
import { LIVE_MS, read } from "../../../api/read.ts";
import type { LiveRun } from "../../../api/run-stream.ts";
import { attemptRows, rowOf, type TimelineRow } from "./rows.ts";

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
    queries: open.map(({ state }) => ({
      ...read(filterTaskRuns, {
        body: {
          flow_runs: { id: { any_: [state?.state_details.child_flow_run_id ?? ""] } },
          limit: LIMITS.pageRows,
        },
      }),
      enabled: state?.state_details.child_flow_run_id != null,
      refetchInterval: LIVE_MS,
    })),
    combine: dataOf,
  });
  return useMemo(() => {
    const rows: TimelineRow[] = [];
    for (const task of [...live.tasks.values()].sort(byStart)) {
      if (errorsOnly && task.state_type !== "FAILED" && task.state_type !== "CRASHED") continue;
      rows.push(rowOf(task, 0));
      const at = open.findIndex(({ id }) => id === task.id);
      if (at === -1) continue;
      if (task.run_count > 1) rows.push(...attemptRows(task, attempts[at] ?? [], 1));
      for (const inner of [...(subflows[at] ?? [])].sort(byStart)) rows.push({ ...rowOf(inner, 1), opens: false });
    }
    return rows;
  }, [live.tasks, open, attempts, subflows, errorsOnly]);
}

function dataOf<T>(results: readonly { readonly data: T }[]): T[] {
  return results.map(({ data }) => data);
}

function byStart(a: TaskRun, b: TaskRun): number {
  return (a.start_time ?? a.expected_start_time ?? a.created) < (b.start_time ?? b.expected_start_time ?? b.created)
    ? -1
    : 1;
}
