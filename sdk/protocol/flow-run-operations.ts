/** What is done with flow runs besides reading and writing one: many at once, resuming, and what the UI draws. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { FlowRunFilter, FlowRunFilters, FlowRunSort, PageNumber, paginated } from "./filters.ts";
import { FlowRun, JsonObject } from "./flow-runs.ts";
import { FlowRunId, StateId } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { RunHistoryInterval, RunHistoryQuery } from "./run-history.ts";
import { OrchestrationResult, State, StateCreate } from "./states.ts";

const byId = z.object({ id: FlowRunId });
const bulkLimit = z.int().min(1).max(LIMITS.bulkRows).nullish();

/**
 * Goes on in the waiting process, or in a new one if the run was suspended. A run that is not paused (ABORT), or input
 * that does not fit what it asked for (REJECT), is a verdict and no error. 404 for an unknown run, 400 for a
 * `__prefect_kind` in the input that cannot be resolved.
 */
export const resumeFlowRun = endpoint({
  id: "resume_flow_run",
  method: "POST",
  path: "/flow_runs/:id/resume",
  tag: "Flow Runs",
  status: 201,
  role: "worker",
  summary: "Let a paused flow run go on, with the input that it waits for.",
  params: byId,
  body: z.object({ run_input: JsonObject.nullish() }),
  returns: OrchestrationResult,
});
/**
 * Deletes the newest `limit` (50 by default) that match, whatever their states. Asked again until nothing is answered,
 * it deletes all.
 */
export const bulkDeleteFlowRuns = endpoint({
  id: "bulk_delete_flow_runs",
  method: "POST",
  path: "/flow_runs/bulk_delete",
  tag: "Flow Runs",
  summary: "Delete the flow runs that match, at most 50 at a time; answer which.",
  body: z.object({ flow_runs: FlowRunFilter, limit: bulkLimit }),
  returns: z.object({ deleted: z.array(FlowRunId) }),
});
/**
 * Proposes to the newest `limit` (50 by default) that match, as {@link setFlowRunState} does to one; `force` is false
 * by default. One that is deleted meanwhile has no verdict.
 */
export const bulkSetFlowRunState = endpoint({
  id: "bulk_set_flow_run_state",
  method: "POST",
  path: "/flow_runs/bulk_set_state",
  tag: "Flow Runs",
  summary: "Propose a state to the flow runs that match, at most 50 at a time; answer each verdict.",
  body: z.object({
    flow_runs: FlowRunFilter,
    state: StateCreate,
    force: z
      .boolean()
      .nullish()
      .transform((force) => force ?? false),
    limit: bulkLimit,
  }),
  returns: z.object({ results: z.array(OrchestrationResult.extend({ flow_run_id: FlowRunId })) }),
});
/** Pages of at most 200 from page 1 on, the newest run first unless `sort` says otherwise. */
export const paginateFlowRuns = endpoint({
  id: "paginate_flow_runs",
  method: "POST",
  path: "/flow_runs/paginate",
  tag: "Flow Runs",
  role: "viewer",
  summary: "List flow runs by the number of a page.",
  body: FlowRunFilters.extend({ sort: FlowRunSort.nullish() }).extend(PageNumber.shape),
  returns: paginated(FlowRun),
});
/** Runs that started in time, are not due yet, or ended without having started count as 0. */
export const averageFlowRunLateness = endpoint({
  id: "average_flow_run_lateness",
  method: "POST",
  path: "/flow_runs/lateness",
  tag: "Flow Runs",
  role: "viewer",
  summary: "By how many seconds flow runs started, or are by now, later than expected, on average; null for none.",
  body: FlowRunFilters,
  returns: z.number().nullable(),
});
/** Answers each interval, also one without runs, up to 500 of them. 422 for intervals of less than a second. */
export const readFlowRunHistory = endpoint({
  id: "flow_run_history",
  method: "POST",
  path: "/flow_runs/history",
  tag: "Flow Runs",
  role: "viewer",
  summary: "Count flow runs by state over a span of time.",
  body: RunHistoryQuery,
  returns: z.array(RunHistoryInterval),
});
/** Answers CSV, not JSON. */
export const downloadFlowRunLogs = endpoint({
  id: "download_flow_run_logs",
  method: "GET",
  path: "/flow_runs/:id/logs/download",
  tag: "Flow Runs",
  role: "viewer",
  summary: "Download the log of a flow run as CSV.",
  params: byId,
  returns: z.string(),
});
/** A state's id says which run's owner keeps it. 404 when it has none of that id. */
export const readFlowRunState = endpoint({
  id: "read_flow_run_state",
  method: "GET",
  path: "/flow_run_states/:id",
  tag: "Flow Run States",
  role: "viewer",
  summary: "Read one state of a flow run.",
  params: z.object({ id: StateId }),
  returns: State,
});
