/** The graph of a flow run: its task runs and subflows as nodes, what they took from each other as edges. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { FlowRunId, StateId, TaskRunId, Uuid } from "./ids.ts";
import { State, StateType } from "./states.ts";
import { TaskInput } from "./task-runs.ts";
import { WireTime } from "./time.ts";

const edges = z.array(z.object({ id: Uuid }));

/** An artifact on a node, or on the run itself; stored results are left out. */
export const GraphArtifact = z.object({
  id: Uuid,
  created: WireTime,
  key: z.string().nullable(),
  type: z.string().nullable(),
  /** No newer artifact has its key; always true without a key. */
  is_latest: z.boolean(),
  /** Of progress artifacts only. */
  data: z.unknown(),
});
export type GraphArtifact = z.infer<typeof GraphArtifact>;

/**
 * A task run, or the subflow run that a task run stands for. Only what has a state and a time to draw it at is a node.
 */
export const GraphNode = z.object({
  kind: z.enum(["flow-run", "task-run"]),
  /** Of the task run or the subflow run. Edges name nodes by it. */
  id: Uuid,
  /** The task run's name, or `flow / flow run` for a subflow. */
  label: z.string(),
  state_type: StateType,
  /** When it is to start, if it has not. */
  start_time: WireTime,
  end_time: WireTime.nullable(),
  parents: edges,
  children: edges,
  /** The task runs that this one ran in. */
  encapsulating: edges,
  artifacts: z.array(GraphArtifact),
});
export type GraphNode = z.infer<typeof GraphNode>;

/** The graph, with the run's own artifacts and the states that it went through, oldest first. */
export const Graph = z.object({
  /** When it is to start, if it has not. */
  start_time: WireTime.nullable(),
  end_time: WireTime.nullable(),
  root_node_ids: z.array(Uuid),
  /** By start time: the node's id, and the node. */
  nodes: z.array(z.tuple([Uuid, GraphNode])),
  /** Of the run itself; those of task runs are on their nodes. */
  artifacts: z.array(GraphArtifact),
  states: z.array(z.object({ id: StateId, timestamp: WireTime, type: StateType, name: z.string() })),
});
export type Graph = z.infer<typeof Graph>;

/** A task run with what it depends on. Spans are in seconds. */
export const Dependency = z.object({
  id: TaskRunId,
  name: z.string(),
  upstream_dependencies: z.array(TaskInput),
  state: State.nullable(),
  expected_start_time: WireTime.nullable(),
  start_time: WireTime.nullable(),
  end_time: WireTime.nullable(),
  total_run_time: z.number().nullable(),
  estimated_run_time: z.number().nullable(),
  /** The result is a value such as `true` or null: which tasks took it cannot be told. */
  untrackable_result: z.boolean(),
});
export type Dependency = z.infer<typeof Dependency>;

const byId = z.object({ id: FlowRunId });

/** Of its task runs only; subflows are in {@link readFlowRunGraph}. 404 for an unknown run. */
export const readFlowRunDependencies = endpoint({
  id: "read_flow_run_graph_v1",
  method: "GET",
  path: "/flow_runs/:id/graph",
  tag: "Flow Run Graph",
  role: "viewer",
  summary: "List the task runs of a flow run with what each depends on.",
  params: byId,
  returns: z.array(Dependency),
});
/**
 * Reads task runs and subflow runs as nodes, by when they started. `since` keeps what still runs, or ended at that
 * instant or later. 404 for an unknown run.
 */
export const readFlowRunGraph = endpoint({
  id: "read_flow_run_graph_v2",
  method: "GET",
  path: "/flow_runs/:id/graph-v2",
  tag: "Flow Run Graph",
  role: "viewer",
  summary: "Read the graph of a flow run; `since` leaves out what had ended before.",
  params: byId,
  query: z.object({ since: WireTime.optional() }),
  returns: Graph,
});
