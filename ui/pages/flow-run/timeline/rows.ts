/** What the timeline draws: a row for each task run, its attempts or its subflow's task runs below it when it is open. */
import type { Dependency } from "#protocol/flow-run-graph";
import type { FlowRunId, TaskRunId } from "#protocol/ids";
import type { State, StateType } from "#protocol/states";
import type { TaskRun } from "#protocol/task-runs";

/** A span on a row. `wait` is the time in a queue or before a retry. */
export interface Span {
  readonly kind: "wait" | "run";
  readonly state: StateType;
  readonly fromMs: number;
  /** Null while it goes on. */
  readonly untilMs: number | null;
}

export interface TimelineRow {
  readonly key: string;
  /** The task run that stands here; null for an attempt. */
  readonly taskId: TaskRunId | null;
  readonly state: StateType;
  readonly name: string;
  readonly depth: number;
  readonly spans: readonly Span[];
  /** Whether there is something to open: attempts, or a subflow. */
  readonly opens: boolean;
  /** The subflow that the task run belongs to, whose page has more about it; null for those of this run. */
  readonly inRun: FlowRunId | null;
}

export function rowOf(task: TaskRun): TimelineRow {
  return {
    key: task.id,
    taskId: task.id,
    state: task.state_type ?? "PENDING",
    name: task.name,
    depth: 0,
    spans: spansOf({ ...task, state: task.state_type, created: task.created }),
    opens: task.run_count > 1 || task.state?.state_details.child_flow_run_id != null,
    inRun: null,
  };
}

/** A task run of a subflow. */
export function innerRow(task: Dependency, inRun: FlowRunId): TimelineRow {
  const state = task.state?.type ?? "PENDING";
  return {
    key: task.id,
    taskId: task.id,
    state,
    name: task.name,
    depth: 1,
    spans: spansOf({ ...task, state, created: task.state?.timestamp ?? "" }),
    opens: false,
    inRun,
  };
}

/** Each attempt of a task run, and what it waited between them. */
export function attemptRows(task: TaskRun, states: readonly State[]): TimelineRow[] {
  const rows: TimelineRow[] = [];
  for (const [index, state] of states.entries()) {
    const next = states[index + 1];
    const untilMs = next ? Date.parse(next.timestamp) : null;
    if (state.type !== "RUNNING") continue;
    const before = states[index - 1];
    const wait: Span[] = before
      ? [{ kind: "wait", state: "PENDING", fromMs: Date.parse(before.timestamp), untilMs: Date.parse(state.timestamp) }]
      : [];
    const outcome = next?.type === "SCHEDULED" ? "FAILED" : (next?.type ?? "RUNNING");
    rows.push({
      key: `${task.id}-${state.id}`,
      taskId: null,
      state: outcome,
      name: `attempt ${rows.length + 1}`,
      depth: 1,
      spans: [...wait, { kind: "run", state: outcome, fromMs: Date.parse(state.timestamp), untilMs }],
      opens: false,
      inRun: null,
    });
  }
  return rows;
}

interface Timed {
  readonly state: StateType | null;
  readonly created: string;
  readonly expected_start_time: string | null;
  readonly start_time: string | null;
  readonly end_time: string | null;
}

function spansOf({ state, start_time, end_time, expected_start_time, created }: Timed): Span[] {
  const expected = Date.parse(expected_start_time ?? created);
  const started = start_time === null ? null : Date.parse(start_time);
  const ended = end_time === null ? null : Date.parse(end_time);
  const wait: Span = { kind: "wait", state: "PENDING", fromMs: expected, untilMs: started ?? ended };
  if (started === null) return [wait];
  const run: Span = { kind: "run", state: state ?? "RUNNING", fromMs: started, untilMs: ended };
  return started > expected ? [wait, run] : [run];
}
