import { SluiceError } from "#protocol/errors";
import type { FlowRunId, TaskRunId } from "#protocol/ids";
import { LIMITS } from "#protocol/limits";
import * as api from "#protocol/logs";
import { ownerOf } from "../../durable-objects/partition.ts";
import { flowRunsOfTasks } from "../../durable-objects/storage/flow-run-copy.ts";
import { listFlowRuns } from "../db/queries/flow-runs.ts";
import { type App, serve } from "../serve.ts";

/** A log filter that names no run looks at this many of the newest runs. */
const RECENT_RUNS = 20;
/** Each run that a filter names is one call to its owner. */
const RUNS_MAX = LIMITS.pageRows;

export function logRoutes(app: App): void {
  serve(
    app,
    api.createLogs,
  )(async ({ env, body }) => {
    await Promise.all(
      [...(await byRun(env, body))].map(([run, lines]) => ownerOf(env.FLOW_RUNS, run)?.appendLogs(run, lines)),
    );
    return undefined;
  });
  serve(
    app,
    api.filterLogs,
  )(async ({ env, body }) => {
    const sort = body.sort ?? "TIMESTAMP_ASC";
    const limit = body.limit ?? LIMITS.pageRows;
    const offset = body.offset ?? 0;
    const runs = await runsOf(env, body.logs);
    const [only] = runs;
    if (runs.length === 1 && only) {
      return (await ownerOf(env.FLOW_RUNS, only)?.logs(only, { filter: body.logs, sort, limit, offset })) ?? [];
    }
    const query = { filter: body.logs, sort, limit: limit + offset, offset: 0 };
    const found = await Promise.all(runs.map((run) => ownerOf(env.FLOW_RUNS, run)?.logs(run, query) ?? []));
    const direction = sort === "TIMESTAMP_DESC" ? -1 : 1;
    return found
      .flat()
      .sort((a, b) => direction * (a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : 0))
      .slice(offset, offset + limit);
  });
}

/** Lines by the run that keeps them. A line that names only a task run goes to that task's flow run. */
async function byRun(env: Env, lines: readonly api.LogCreate[]): Promise<Map<FlowRunId, api.LogCreate[]>> {
  const orphans = lines.flatMap((line) => (line.flow_run_id === null && line.task_run_id ? [line.task_run_id] : []));
  const parents =
    orphans.length > 0 ? await flowRunsOfTasks(env.DB, [...new Set(orphans)]) : new Map<TaskRunId, FlowRunId>();
  const grouped = new Map<FlowRunId, api.LogCreate[]>();
  for (const line of lines) {
    const run = line.flow_run_id ?? (line.task_run_id ? parents.get(line.task_run_id) : undefined);
    // A line about no run known here has nobody to keep it: upstream accepts such lines, so they are not an error.
    if (!run) continue;
    const group = grouped.get(run);
    if (group) group.push(line);
    else grouped.set(run, [line]);
  }
  return grouped;
}

async function runsOf(env: Env, filter: api.LogFilter): Promise<FlowRunId[]> {
  if (filter?.flow_run_id?.any_) return bounded([...new Set(filter.flow_run_id.any_)] as FlowRunId[]);
  if (filter?.task_run_id?.any_) {
    return bounded([...new Set((await flowRunsOfTasks(env.DB, filter.task_run_id.any_ as TaskRunId[])).values())]);
  }
  const newest = await listFlowRuns(
    env,
    { flows: null, flow_runs: null, task_runs: null, deployments: null, work_pools: null },
    { sort: "ID_DESC", limit: RECENT_RUNS, offset: 0 },
  );
  return newest.map((run) => run.id);
}

function bounded(runs: FlowRunId[]): FlowRunId[] {
  if (runs.length <= RUNS_MAX) return runs;
  throw new SluiceError(
    "validation",
    `The filter asks for logs of ${runs.length} flow runs; ${RUNS_MAX} are allowed.`,
    {
      fix: "Ask for the logs of fewer flow runs at a time.",
      issues: [{ loc: ["body", "logs"], msg: `names more than ${RUNS_MAX} flow runs`, type: "too_big" }],
    },
  );
}
