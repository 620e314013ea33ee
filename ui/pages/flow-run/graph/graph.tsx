/** What the task runs took from each other. Loaded when it is looked at. */
import "@xyflow/react/dist/base.css";
import { Background, Controls, ReactFlow } from "@xyflow/react";
import { useMemo } from "react";
import type { TaskRunId } from "#protocol/ids";
import { Skeleton } from "../../../elements/skeleton.tsx";
import { noTasks } from "../no-tasks.ts";
import type { RunPartProps } from "../page.tsx";
import { layOut } from "./lay-out.ts";
import { TaskNode } from "./task-node.tsx";

/** More boxes than this say nothing to anybody. */
const MOST_NODES = 400;
const NODE_TYPES = { task: TaskNode };

export function Graph({ live, search, onSearch }: RunPartProps) {
  const tasks = live.tasks;
  // Where the boxes stand depends on who takes what from whom, not on states.
  const isTooMuch = tasks.size > MOST_NODES;
  const shape = isTooMuch ? [] : [...tasks.values()].map(({ id, task_inputs }) => [id, task_inputs]);
  const key = JSON.stringify(shape);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` stands for what of `tasks` matters.
  const layout = useMemo(() => (isTooMuch ? null : layOut([...tasks.values()])), [key, isTooMuch]);
  if (live.run === null) return <Skeleton height="28rem" />;
  if (tasks.size === 0) return <p className="empty">{noTasks(live.run)}</p>;
  if (layout === null) {
    return (
      <p className="empty">
        {tasks.size.toLocaleString()} task runs are too many for a graph; the timeline shows them all.
      </p>
    );
  }
  const nodes = layout.nodes.flatMap((node) => {
    const task = tasks.get(node.id as TaskRunId);
    return task ? [{ ...node, data: { task }, selected: search.task === task.id }] : [];
  });
  return (
    <div className="graph" role="application" aria-label="Graph of the task runs">
      <ReactFlow
        nodes={nodes}
        edges={layout.edges}
        nodeTypes={NODE_TYPES}
        onNodeClick={(_, { id }) => onSearch({ ...search, task: id as TaskRunId })}
        nodesDraggable={false}
        nodesConnectable={false}
        fitView
        fitViewOptions={{ maxZoom: 1 }}
        minZoom={0.05}
      >
        <Background />
        <Controls showInteractive={false} />
      </ReactFlow>
    </div>
  );
}
