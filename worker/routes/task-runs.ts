import { notFound } from "#protocol/errors";
import type { FlowRunFilters } from "#protocol/filters";
import type { FlowRunId, TaskRunId } from "#protocol/ids";
import { LIMITS } from "#protocol/limits";
import type { State } from "#protocol/states";
import * as api from "#protocol/task-runs";
import type { EpochMs } from "#protocol/time";
import { withEstimates } from "../../durable-objects/flow-run-document.ts";
import { ownerOf } from "../../durable-objects/partition.ts";
import { rememberedResult } from "../../durable-objects/storage/task-result-cache.ts";
import { releaseTagSlots } from "../../durable-objects/tag-slots.ts";
import { createTaskRun } from "../create-task-run.ts";
import { runHistory, TASK_RUN_TABLE } from "../db/queries/run-history.ts";
import * as queries from "../db/queries/task-runs.ts";
import { findTaskRunState } from "../find-task-run-state.ts";
import { paginate } from "../paginate.ts";
import { type App, serve, withStatus } from "../serve.ts";
import { takeTagSlots } from "../tag-slots.ts";
import { taskRunHome } from "../task-run-home.ts";

export function taskRunRoutes(app: App): void {
  serve(
    app,
    api.createTaskRun,
  )(async ({ env, body }) => {
    const { task, created } = await createTaskRun(env, body);
    return withStatus(task, created ? 201 : 200);
  });
  serve(
    app,
    api.updateTaskRun,
  )(async ({ env, params, body }) => {
    if (!(await (await taskRunHome(env, params.id)).update(body))) throw notFound("Task run", params.id);
    return undefined;
  });
  serve(
    app,
    api.deleteTaskRun,
  )(async ({ env, params }) => {
    if (!(await (await taskRunHome(env, params.id)).remove())) throw notFound("Task run", params.id);
    return undefined;
  });
  serve(
    app,
    api.setTaskRunState,
  )(async ({ env, params, body }) => {
    const { cache_key, refresh_cache } = body.state.state_details;
    const isLookedUp = body.state.type === "RUNNING" && cache_key && !refresh_cache;
    const [home, cached] = await Promise.all([
      taskRunHome(env, params.id),
      isLookedUp ? rememberedResult(env.DB, cache_key, Date.now() as EpochMs) : null,
    ]);
    const force = body.force ?? false;
    const starts = body.state.type === "RUNNING" && !force && !body.state.state_details.deferred;
    const known = starts ? await home.read() : null;
    // A run that is started twice has its slots.
    const task = known && known.task.state_type !== "RUNNING" && cached === null ? known.task : null;
    const slots = task ? { tagSlots: await takeTagSlots(env, task.id, task.tags) } : {};
    const outcome = await home.setState({ state: body.state, force, cached, ...slots });
    if (task && slots.tagSlots?.kind === "granted" && outcome?.result.state?.type !== "RUNNING") {
      await releaseTagSlots(env, task);
    }
    if (!outcome) throw notFound("Task run", params.id);
    return withStatus(outcome.result, outcome.written ? 201 : 200);
  });
  serve(
    app,
    api.filterTaskRuns,
  )(async ({ env, body }) => {
    const page = { sort: body.sort ?? "ID_DESC", limit: body.limit ?? LIMITS.pageRows, offset: body.offset ?? 0 };
    const run = onlyRun(body);
    // One run's task runs in their default order are read from their owner, which is ahead of its copies.
    if (run !== null && page.sort === "ID_DESC") {
      const tasks = (await ownerOf(env.FLOW_RUNS, run)?.taskRuns(run)) ?? [];
      return tasks.reverse().slice(page.offset, page.offset + page.limit);
    }
    const now = Date.now() as EpochMs;
    return (await queries.listTaskRuns(env, body, page)).map((task) => withEstimates(task, now));
  });
  serve(
    app,
    api.paginateTaskRuns,
  )(async ({ env, body }) => {
    const now = Date.now() as EpochMs;
    const sort = body.sort ?? "ID_DESC";
    return paginate(
      body,
      async (part) =>
        (await queries.listTaskRuns(env, body, { sort, ...part })).map((task) => withEstimates(task, now)),
      () => queries.countTaskRuns(env, body),
    );
  });
  serve(
    app,
    api.countTaskRuns,
  )(async ({ env, body }) => {
    const run = onlyRun(body);
    if (run !== null) return ((await ownerOf(env.FLOW_RUNS, run)?.taskRuns(run)) ?? []).length;
    return queries.countTaskRuns(env, body);
  });
  serve(app, api.readTaskRunHistory)(({ env, body }) => runHistory(env, TASK_RUN_TABLE, body));
  serve(app, api.readTaskRunStates)(async ({ env, query }) => (await readTask(env, query.task_run_id)).states);
  serve(
    app,
    api.readTaskRunState,
  )(async ({ env, params }) => {
    const state = await findTaskRunState(env, params.id);
    if (!state) throw notFound("Task run state", params.id);
    return state;
  });
  serve(app, api.readTaskRun)(async ({ env, params }) => (await readTask(env, params.id)).task);
}

async function readTask(env: Env, id: TaskRunId): Promise<{ task: api.TaskRun; states: State[] }> {
  const found = await (await taskRunHome(env, id)).read();
  if (!found) throw notFound("Task run", id);
  return found;
}

/** The flow run, where a filter asks for the task runs of exactly one and for nothing else. */
function onlyRun(filters: FlowRunFilters): FlowRunId | null {
  const others = filters.flows ?? filters.deployments ?? filters.work_pools;
  if (others) return null;
  const byRun = filters.flow_runs;
  const byTask = filters.task_runs;
  if (byRun && byTask) return null;
  const ids = byRun ? onlyKey(byRun, "id")?.any_ : byTask ? onlyKey(byTask, "flow_run_id")?.any_ : null;
  return ids?.length === 1 ? (ids[0] as FlowRunId) : null;
}

function onlyKey<T extends object, K extends keyof T>(filter: T, key: K): T[K] | null {
  const given = Object.entries(filter).filter(([name, value]) => value != null && name !== "operator");
  return given.length === 1 && given[0]?.[0] === key && Object.keys(filter[key] ?? {}).join() === "any_"
    ? filter[key]
    : null;
}
