import { notFound } from "#protocol/errors";
import * as api from "#protocol/flow-run-graph";
import { ownerOf } from "../../durable-objects/partition.ts";
import { graphArtifacts, graphChildren } from "../db/queries/flow-run-graph.ts";
import { drawGraph } from "../flow-run-graph.ts";
import { type App, serve } from "../serve.ts";

export function flowRunGraphRoutes(app: App): void {
  serve(
    app,
    api.readFlowRunDependencies,
  )(async ({ env, params }) => {
    const owner = ownerOf(env.FLOW_RUNS, params.id);
    if (!owner || !(await owner.read(params.id))) throw notFound("Flow run", params.id);
    return (await owner.taskRuns(params.id)).map((task) => ({
      id: task.id,
      name: task.name,
      upstream_dependencies: Object.values(task.task_inputs)
        .flat()
        .filter((input) => input.input_type === "task_run"),
      state: task.state,
      expected_start_time: task.expected_start_time,
      start_time: task.start_time,
      end_time: task.end_time,
      total_run_time: task.total_run_time,
      estimated_run_time: task.estimated_run_time,
      untrackable_result: task.state?.state_details.untrackable_result ?? false,
    }));
  });
  serve(
    app,
    api.readFlowRunGraph,
  )(async ({ env, params: { id }, query }) => {
    const owner = ownerOf(env.FLOW_RUNS, id);
    if (!owner) throw notFound("Flow run", id);
    const [run, tasks, states, children, artifacts] = await Promise.all([
      owner.read(id),
      owner.taskRuns(id),
      owner.states(id),
      graphChildren(env, id),
      graphArtifacts(env, id),
    ]);
    if (!run) throw notFound("Flow run", id);
    return drawGraph({ run, tasks, states: states ?? [], children, artifacts, since: query.since ?? null });
  });
}
