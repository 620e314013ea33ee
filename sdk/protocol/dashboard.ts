/** Everything that the first page of the UI shows, in one request. Beyond Prefect's API. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { DeploymentId, FlowRunId, WorkPoolId } from "./ids.ts";
import { RunHistoryInterval } from "./run-history.ts";
import { StateType } from "./states.ts";
import { WireTime } from "./time.ts";

const RunLine = z.object({
  id: FlowRunId,
  name: z.string(),
  flow_name: z.string().nullable(),
  deployment_id: DeploymentId.nullable(),
  state_type: StateType.nullable(),
  state_name: z.string().nullable(),
  expected_start_time: WireTime.nullable(),
  start_time: WireTime.nullable(),
});

/**
 * What is going on and what has lately gone wrong. Lists of runs and of deployments have 10 rows at most, that of work
 * pools 200.
 */
export const Dashboard = z.object({
  since: WireTime,
  until: WireTime,
  /** Flow runs by the time at which they were to start, in spans of equal length. */
  history: z.array(RunHistoryInterval),
  /** Of the runs that were to start between `since` and `until`. */
  totals: z.object({
    runs: z.int(),
    /** By type of state; types without runs are absent. */
    by_state: z.record(z.string(), z.int()),
    /** Completed of those that ended, between 0 and 1; null when none ended. */
    success_rate: z.number().nullable(),
    /**
     * How much later than expected they started, or for how long they wait by now; those on time count as 0. Null
     * without runs.
     */
    average_lateness_seconds: z.number().nullable(),
  }),
  /** As of now, whatever the span of time. */
  now: z.object({
    running: z.int(),
    pending: z.int(),
    scheduled: z.int(),
    /** Of those that are scheduled. */
    late: z.int(),
    /** The longest running first. */
    runs: z.array(RunLine),
    /** The next to start first. */
    next: z.array(RunLine),
  }),
  work_pools: z.array(
    z.object({
      id: WorkPoolId,
      name: z.string(),
      /** READY where a worker is online, or none is needed. */
      status: z.enum(["READY", "NOT_READY", "PAUSED"]),
      workers_online: z.int(),
      /** Runs that were claimed and have not ended. */
      running: z.int(),
      late: z.int(),
      /** Runs at the same time; null for any number. */
      concurrency_limit: z.int().nullable(),
    }),
  ),
  /** Deployments with runs that failed or crashed, those with the most first. */
  failing_deployments: z.array(
    z.object({
      id: DeploymentId,
      name: z.string(),
      flow_name: z.string(),
      /** Of the `ended` runs that were to start between `since` and `until`. */
      failed: z.int(),
      ended: z.int(),
      last_failed_run_id: FlowRunId,
    }),
  ),
});
export type Dashboard = z.infer<typeof Dashboard>;

/** A span of a day until now unless said. 422 when `since` is not before `until`. */
export const readDashboard = endpoint({
  id: "read_dashboard",
  method: "POST",
  path: "/dashboard",
  tag: "Dashboard",
  role: "viewer",
  summary: "Read what the first page of the UI shows.",
  body: z.object({
    /** Default: a day before `until`. */
    since: WireTime.nullish(),
    /** Default: now. */
    until: WireTime.nullish(),
    /** Only runs that have all of these tags. */
    tags: z.array(z.string()).nullish(),
    /** Bars of the history. Default: 48. */
    bars: z.int().min(1).max(200).nullish(),
  }),
  returns: Dashboard,
});
