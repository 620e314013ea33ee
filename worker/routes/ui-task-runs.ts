import { notFound } from "#protocol/errors";
import * as api from "#protocol/ui-task-runs";
import { ownerOf } from "../../durable-objects/partition.ts";
import { countByState, countOutcomes } from "../db/queries/task-run-counts.ts";
import { type App, serve } from "../serve.ts";
import { taskRunHome } from "../task-run-home.ts";

export function uiTaskRunRoutes(app: App): void {
  serve(app, api.countTaskRunOutcomes)(({ env, body }) => countOutcomes(env, body, Date.now()));
  serve(app, api.countTaskRunsByState)(({ env, body }) => countByState(env, body));
  serve(
    app,
    api.readTaskRunForUi,
  )(async ({ env, params }) => {
    const found = await (await taskRunHome(env, params.id)).read();
    if (!found) throw notFound("Task run", params.id);
    const run = found.task.flow_run_id;
    const flowRun = run ? await ownerOf(env.FLOW_RUNS, run)?.read(run) : null;
    return { ...found.task, flow_run_name: flowRun?.name ?? null };
  });
}
