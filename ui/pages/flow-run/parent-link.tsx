import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FlowRun, readFlowRun } from "#protocol/flow-runs";
import type { FlowRunId, TaskRunId } from "#protocol/ids";
import { readTaskRun } from "#protocol/task-runs";
import { read } from "../../api/read.ts";

/** Where a subflow was called. */
export function ParentLink({ run }: { readonly run: FlowRun }) {
  const { data: task } = useQuery({
    ...read(readTaskRun, { params: { id: run.parent_task_run_id as TaskRunId } }),
    enabled: run.parent_task_run_id !== null,
  });
  const { data: parent } = useQuery({
    ...read(readFlowRun, { params: { id: task?.flow_run_id as FlowRunId } }),
    enabled: task?.flow_run_id != null,
  });
  if (!task?.flow_run_id) return null;
  return (
    <>
      {" · called by "}
      <Link to="/runs/$runId" params={{ runId: task.flow_run_id }}>
        {parent?.name ?? "the run above"}
      </Link>
    </>
  );
}
