import { SluiceError } from "#protocol/errors";
import type { FlowRunId, TaskRunId } from "#protocol/ids";
import { LIMITS } from "#protocol/limits";
import * as api from "#protocol/logs";
import { listFlowRuns } from "../db/queries/flow-runs.ts";
import { type LogSubject, readLogs, storeLogs, subjectsOfTasks } from "../log-homes.ts";
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
    await storeLogs(env, body);
    return undefined;
  });
  serve(
    app,
    api.filterLogs,
  )(async ({ env, body }) => {
    const sort = body.sort ?? "TIMESTAMP_ASC";
    const limit = body.limit ?? LIMITS.pageRows;
    const offset = body.offset ?? 0;
    const subjects = await subjectsOf(env, body.logs);
    const [only] = subjects;
    if (subjects.length === 1 && only) return readLogs(env, only, { filter: body.logs, sort, limit, offset });
    const query = { filter: body.logs, sort, limit: limit + offset, offset: 0 };
    const found = await Promise.all(subjects.map((subject) => readLogs(env, subject, query)));
    const direction = sort === "TIMESTAMP_DESC" ? -1 : 1;
    return found
      .flat()
      .sort((a, b) => direction * (a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : 0))
      .slice(offset, offset + limit);
  });
}

async function subjectsOf(env: Env, filter: api.LogFilter): Promise<LogSubject[]> {
  if (filter?.flow_run_id?.any_) {
    return bounded([...new Set(filter.flow_run_id.any_)]).map((id) => ({ flowRun: id as FlowRunId }));
  }
  if (filter?.task_run_id?.any_) {
    return subjectsOfTasks(env, bounded([...new Set(filter.task_run_id.any_)]) as TaskRunId[]);
  }
  const newest = await listFlowRuns(env, {}, { sort: "ID_DESC", limit: RECENT_RUNS, offset: 0 });
  return newest.map((run) => ({ flowRun: run.id }));
}

function bounded(runs: string[]): string[] {
  if (runs.length <= RUNS_MAX) return runs;
  throw new SluiceError("validation", `The filter asks for logs of ${runs.length} runs; ${RUNS_MAX} are allowed.`, {
    fix: "Ask for the logs of fewer runs at a time.",
    issues: [{ loc: ["body", "logs"], msg: `names more than ${RUNS_MAX} runs`, type: "too_big" }],
  });
}
