import { Graph, layout } from "@dagrejs/dagre";
import type { TaskRun } from "#protocol/task-runs";
import { sourcesOf } from "../task-sources.ts";

const WIDTH = 190;
const HEIGHT = 40;

/** Where each task run stands, from left to right, and the arrows from those whose results it took. */
export function layOut(tasks: readonly TaskRun[]) {
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 14, ranksep: 60 });
  graph.setDefaultEdgeLabel(() => ({}));
  const known = new Set<string>(tasks.map(({ id }) => id));
  for (const { id } of tasks) graph.setNode(id, { width: WIDTH, height: HEIGHT });
  const edges = tasks.flatMap((task) =>
    sourcesOf(task)
      .filter((source) => known.has(source))
      .map((source) => ({ id: `${source}-${task.id}`, source, target: task.id as string })),
  );
  for (const { source, target } of edges) graph.setEdge(source, target);
  layout(graph);
  const nodes = tasks.map(({ id }) => {
    const { x = 0, y = 0 } = graph.node(id) ?? {};
    return { id: id as string, type: "task", position: { x: x - WIDTH / 2, y: y - HEIGHT / 2 } };
  });
  return { nodes, edges };
}
