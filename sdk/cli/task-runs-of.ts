/** Reads all task runs of one flow run, page by page. */
import type { ApiClient } from "../client/api-client.ts";
import type { FlowRunId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { filterTaskRuns, type TaskRun } from "../protocol/task-runs.ts";

/** Oldest first. */
export async function readTaskRunsOf(client: ApiClient, flowRunId: FlowRunId): Promise<TaskRun[]> {
  const tasks: TaskRun[] = [];
  for (;;) {
    const page = await client.call(
      filterTaskRuns,
      {
        body: {
          task_runs: { flow_run_id: { any_: [flowRunId] } },
          sort: "EXPECTED_START_TIME_ASC",
          limit: LIMITS.pageRows,
          offset: tasks.length,
        },
      },
      { idempotent: true },
    );
    tasks.push(...page);
    if (page.length < LIMITS.pageRows) return tasks;
  }
}
