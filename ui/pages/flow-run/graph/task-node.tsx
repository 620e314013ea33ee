import { Handle, type Node, type NodeProps, Position } from "@xyflow/react";
import type { TaskRun } from "#protocol/task-runs";
import { StateGlyph } from "../../../elements/state-glyph.tsx";
import { Took } from "../../../elements/took.tsx";

type TaskNodeData = Node<{ readonly task: TaskRun }>;

export function TaskNode({ data: { task }, selected }: NodeProps<TaskNodeData>) {
  return (
    <div className="graph-node" data-state={task.state_type ?? "PENDING"} data-chosen={selected || undefined}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <StateGlyph state={task.state_type ?? "PENDING"} />
      <span className="cut">{task.name}</span>
      <span className="quiet small">
        <Took from={task.start_time} to={task.end_time} />
      </span>
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
}
