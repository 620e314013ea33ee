/** Running a flow run again: whole, from one of its task runs on, or anew with other parameters. Beyond Prefect's API. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { FlowRun, JsonObject } from "./flow-runs.ts";
import { FlowRunId, TaskRunId } from "./ids.ts";

/** The name of the state of task runs that are to run again although they had completed. */
export const RERUN_STATE = "Rerun";

/**
 * Answers the same run, scheduled again, or the new one. 404 for an unknown run or task run; 409 while the run has not
 * ended; 400 for a run without a deployment, or for parameters together with `from_task_run_id`. Parameters also fail
 * as those of any new run of the deployment do.
 */
export const retryFlowRun = endpoint({
  id: "retry_flow_run",
  method: "POST",
  path: "/flow_runs/:id/retry",
  tag: "Flow Runs",
  summary: "Run a finished flow run again; with other parameters, as a new run of its deployment.",
  params: z.object({ id: FlowRunId }),
  body: z.object({
    /** Laid over the run's own; they make a new run. */
    parameters: JsonObject.nullish(),
    /** This task run and all that depend on it run again, even if they had completed. */
    from_task_run_id: TaskRunId.nullish(),
  }),
  returns: FlowRun,
});
