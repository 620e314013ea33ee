import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { retryFlowRun } from "#protocol/flow-run-retry";
import type { FlowRun } from "#protocol/flow-runs";
import type { TaskRunId } from "#protocol/ids";
import { whyNot } from "#protocol/run-actions";
import { readTaskRunStates } from "#protocol/task-runs";
import { api } from "../../api/client.ts";
import { read } from "../../api/read.ts";
import type { LiveRun } from "../../api/run-stream.ts";
import { useRoleRefusal } from "../../api/session.ts";
import { ResultView } from "../../components/result-view.tsx";
import { StateList } from "../../components/state-list.tsx";
import { Button } from "../../elements/button.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { JsonView } from "../../elements/json-view.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";
import { StateBadge } from "../../elements/state-badge.tsx";
import type { RunSearch } from "./run-search.ts";

export interface TaskPanelProps {
  readonly run: FlowRun;
  readonly live: LiveRun;
  readonly taskId: TaskRunId;
  readonly onClose: () => void;
  readonly onSearch: (search: RunSearch) => void;
}

/** All about one task run. */
export function TaskPanel({ run, live, taskId, onClose, onSearch }: TaskPanelProps) {
  const task = live.tasks.get(taskId);
  const { data: states } = useQuery({
    ...read(readTaskRunStates, { query: { task_run_id: taskId } }, task?.state_id),
    placeholderData: (before) => before,
  });
  const retry = useMutation({
    mutationFn: () => api.call(retryFlowRun, { params: { id: run.id }, body: { from_task_run_id: taskId } }),
  });
  const roleRefusal = useRoleRefusal("operator");
  if (!task) return null;
  const child = task.state?.state_details.child_flow_run_id;
  return (
    <section className="panel stack task-panel" aria-labelledby="task-title">
      <div className="row spread">
        <h2 id="task-title" className="row">
          {task.name} <StateBadge type={task.state_type} name={task.state_name} />
        </h2>
        <span className="row">
          {child && (
            <Link className="button" data-size="small" to="/runs/$runId" params={{ runId: child }}>
              Open the subflow
            </Link>
          )}
          <Button size="small" onClick={() => onSearch({ tab: "logs", task: taskId })}>
            Its log
          </Button>
          <Button
            size="small"
            refusal={roleRefusal ?? whyNot("retry", run)}
            busy={retry.isPending}
            title="This task and all that depend on it run again, even if they had completed"
            onClick={() => retry.mutate()}
          >
            Retry from here
          </Button>
          <Button size="small" kind="plain" aria-label="Close the task" onClick={onClose}>
            ✕
          </Button>
        </span>
      </div>
      {retry.error && <ErrorNote error={retry.error} />}
      {task.state?.message && (
        <pre className={task.state_type === "FAILED" ? "error-message" : ""}>{task.state.message}</pre>
      )}
      {states ? <StateList states={states} /> : <Skeleton height="6rem" />}
      <ResultView state={task.state} />
      <JsonView title="Inputs" value={task.task_inputs} none="It takes nothing from other tasks." />
    </section>
  );
}
