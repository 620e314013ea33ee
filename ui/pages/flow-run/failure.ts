/** Where a run broke: the task run that failed first, looked for in the subflows that failed because of theirs. */
import { useQuery } from "@tanstack/react-query";
import type { FlowRun } from "#protocol/flow-runs";
import type { FlowRunId } from "#protocol/ids";
import { LIMITS } from "#protocol/limits";
import { filterTaskRuns, type TaskRun } from "#protocol/task-runs";
import { call } from "../../api/read.ts";
import type { LiveRun } from "../../api/run-stream.ts";

export interface Failure {
  /** The run in which it happened: this one, or a subflow below it. */
  readonly runId: FlowRunId;
  /** Null where the flow itself failed. */
  readonly task: TaskRun | null;
  /** What stands for the subflow in the run that called it; null in the run itself. */
  readonly subflow: TaskRun | null;
}

/** Subflows within each other that are looked through. */
const DEPTH = 10;

/** Undefined while the subflows are looked through. */
export function useFailure(run: FlowRun, live: LiveRun): { readonly failure?: Failure; readonly error: Error | null } {
  const first = earliest([...live.tasks.values()].filter(hasFailed));
  const { data, error } = useQuery({
    queryKey: ["failure", first?.id, first?.state_id],
    queryFn: ({ signal }) => inSubflows(first as TaskRun, signal),
    enabled: first !== null && childOf(first) !== null,
  });
  if (first === null || childOf(first) === null) {
    return { failure: { runId: run.id, task: first, subflow: null }, error: null };
  }
  return { ...(data && { failure: data }), error };
}

async function inSubflows(first: TaskRun, signal: AbortSignal): Promise<Failure> {
  let subflow = first;
  for (let depth = 1; ; depth++) {
    const runId = childOf(subflow) as FlowRunId;
    const body = {
      flow_runs: { id: { any_: [runId] } },
      task_runs: { state: { type: { any_: ["FAILED" as const, "CRASHED" as const] } } },
      limit: LIMITS.pageRows,
    };
    const task = earliest(await call(filterTaskRuns, { body }, signal));
    if (task === null || childOf(task) === null || depth === DEPTH) return { runId, task, subflow };
    subflow = task;
  }
}

function childOf({ state }: TaskRun): FlowRunId | null {
  return state?.state_details.child_flow_run_id ?? null;
}

function hasFailed({ state_type }: TaskRun): boolean {
  return state_type === "FAILED" || state_type === "CRASHED";
}

/** Those after the first often fail because of it. */
function earliest(failed: readonly TaskRun[]): TaskRun | null {
  const ended = (task: TaskRun): string => task.end_time ?? task.updated;
  return failed.reduce<TaskRun | null>((least, one) => (least && ended(least) <= ended(one) ? least : one), null);
}
