/** What the timeline draws: a row for each task run, its attempts or its subflow's task runs below it when it is open. */
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
  readonly task: TaskRun | null;
  readonly name: string;
  readonly depth: number;
  readonly spans: readonly Span[];
  /** Whether there is something to open: attempts, or a subflow. */
  readonly opens: boolean;
}

export function rowOf(task: TaskRun, depth: number): TimelineRow {
  return {
    key: task.id,
    task,
    name: task.name,
    depth,
    spans: spansOf(task),
    opens: task.run_count > 1 || task.state?.state_details.child_flow_run_id != null,
  };
}

/** Each attempt of a task run, and what it waited between them. */
export function attemptRows(task: TaskRun, states: readonly State[], depth: number): TimelineRow[] {
  const rows: TimelineRow[] = [];
  for (const [index, state] of states.entries()) {
    const next = states[index + 1];
    const untilMs = next ? Date.parse(next.timestamp) : null;
    if (state.type !== "RUNNING") continue;
    const before = states[index - 1];
    const wait: Span[] = before
      ? [{ kind: "wait", state: "PENDING", fromMs: Date.parse(before.timestamp), untilMs: Date.parse(state.timestamp) }]
      : [];
    const run: Span = {
      kind: "run",
      state: next?.type === "SCHEDULED" ? "FAILED" : (next?.type ?? "RUNNING"),
      fromMs: Date.parse(state.timestamp),
      untilMs,
    };
    rows.push({
      key: `${task.id}-${state.id}`,
      task: null,
      name: `attempt ${rows.length + 1}`,
      depth,
      spans: [...wait, run],
      opens: false,
    });
  }
  return rows;
}

function spansOf(task: TaskRun): Span[] {
  const { state_type, start_time, end_time, expected_start_time, created } = task;
  const expected = Date.parse(expected_start_time ?? created);
  const started = start_time === null ? null : Date.parse(start_time);
  const ended = end_time === null ? null : Date.parse(end_time);
  const wait: Span = { kind: "wait", state: "PENDING", fromMs: expected, untilMs: started ?? ended };
  if (started === null) return [wait];
  const run: Span = { kind: "run", state: state_type ?? "RUNNING", fromMs: started, untilMs: ended };
  return started > expected ? [wait, run] : [run];
}
