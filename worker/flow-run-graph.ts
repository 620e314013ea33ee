/**
 * Draws the graph of a flow run from its task runs and from the child runs that some of them stand for. A child takes
 * the place of the task run that stands for it, also where other task runs depend on that one.
 */
import type { Graph, GraphArtifact, GraphNode } from "#protocol/flow-run-graph";
import type { State } from "#protocol/states";
import type { TaskRun } from "#protocol/task-runs";
import type { WireTime } from "#protocol/time";

/** Upstream's name for the input that names the task run in which another one ran. */
const ENCAPSULATING = "__parents__";

/** A run that a task run stands for. */
export interface GraphChild {
  readonly id: string;
  readonly taskRunId: string;
  readonly flowName: string;
  readonly name: string;
  readonly stateType: GraphNode["state_type"] | null;
  readonly startTime: WireTime | null;
  readonly endTime: WireTime | null;
}

export interface GraphParts {
  readonly run: {
    readonly start_time: WireTime | null;
    readonly expected_start_time: WireTime | null;
    readonly end_time: WireTime | null;
  };
  readonly tasks: readonly TaskRun[];
  readonly children: readonly GraphChild[];
  readonly states: readonly State[];
  /** With the task run that each belongs to; null for those of the flow run itself. */
  readonly artifacts: readonly (GraphArtifact & { readonly taskRunId: string | null })[];
  /** Nodes that had ended before are left out. */
  readonly since: WireTime | null;
}

export function drawGraph({ run, tasks, children, states, artifacts, since }: GraphParts): Graph {
  const childOf = new Map(children.map((child) => [child.taskRunId, child]));
  const nodeOf = new Map(tasks.map((task) => [task.id as string, childOf.get(task.id)?.id ?? task.id]));
  for (const child of children) nodeOf.set(child.id, child.id);
  const artifactsOf = Map.groupBy(artifacts, ({ taskRunId }) => taskRunId);
  const drawn = tasks.flatMap((task) => {
    const node = toNode(task, childOf.get(task.id) ?? null, nodeOf);
    return node ? [{ ...node, artifacts: (artifactsOf.get(task.id) ?? []).map(asGraphArtifact) }] : [];
  });
  const nodes = new Map(drawn.map((node) => [node.id, node]));
  for (const node of drawn) {
    node.parents = node.parents.filter(({ id }) => nodes.has(id));
    for (const { id } of node.parents) nodes.get(id)?.children.push({ id: node.id });
  }
  const shown = drawn
    .filter(({ end_time }) => since === null || end_time === null || end_time >= since)
    .sort((a, b) => compare(a.start_time, b.start_time) || compare(a.end_time ?? "", b.end_time ?? ""));
  return {
    start_time: run.start_time ?? run.expected_start_time,
    end_time: run.end_time,
    root_node_ids: shown.filter(({ parents }) => parents.length === 0).map(({ id }) => id),
    nodes: shown.map((node) => [node.id, node]),
    artifacts: (artifactsOf.get(null) ?? []).map(asGraphArtifact),
    states: states.map(({ id, timestamp, type, name }) => ({ id, timestamp, type, name })),
  };
}

/** Null for a task run of which nothing is known yet that could be drawn. */
function toNode(task: TaskRun, child: GraphChild | null, nodeOf: ReadonlyMap<string, string>): GraphNode | null {
  const startTime = child?.startTime ?? task.start_time ?? task.expected_start_time;
  const stateType = child?.stateType ?? task.state_type;
  if (startTime === null || stateType === null) return null;
  const inputs = Object.entries(task.task_inputs);
  const idsOf = (isWanted: (name: string) => boolean) => [
    ...new Set(
      inputs
        .filter(([name]) => isWanted(name))
        .flatMap(([, values]) => values)
        .flatMap((input) => (typeof input["id"] === "string" ? [nodeOf.get(input["id"]) ?? input["id"]] : [])),
    ),
  ];
  return {
    kind: child ? "flow-run" : "task-run",
    id: child?.id ?? task.id,
    label: child ? `${child.flowName} / ${child.name}` : task.name,
    state_type: stateType,
    start_time: startTime,
    end_time: child?.endTime ?? task.end_time ?? (stateType === "COMPLETED" ? task.expected_start_time : null),
    parents: idsOf((name) => name !== ENCAPSULATING).map((id) => ({ id })),
    children: [],
    encapsulating: idsOf((name) => name === ENCAPSULATING).map((id) => ({ id })),
    artifacts: [],
  };
}

function asGraphArtifact({ taskRunId: _, ...artifact }: GraphParts["artifacts"][number]): GraphArtifact {
  return artifact;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
