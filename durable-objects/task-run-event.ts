/**
 * Task runs as Prefect's clients tell of them: an event for each state, whose id and time are the state's own. The
 * client decides; the control plane records (upstream: server/events, TaskRunRecorder).
 */
import { type Event, relatedId, resourceId } from "#protocol/events";
import { FlowRunId } from "#protocol/ids";
import { TaskReport } from "#protocol/run-channel";

const EVENT_PREFIX = "prefect.task-run.";
const ORCHESTRATION_LABEL = "prefect.orchestration";

export interface TaskRunNews {
  /** Null where the event names none: a task outside a flow, or one that a task worker executes. */
  readonly flowRunId: FlowRunId | null;
  readonly report: TaskReport;
}

/** What an event tells of a task run; null for any other event. */
export function taskRunNews(event: Event): TaskRunNews | null {
  if (!event.event.startsWith(EVENT_PREFIX) || event.resource[ORCHESTRATION_LABEL] !== "client") return null;
  const flowRunId = FlowRunId.safeParse(relatedId(event, "flow-run", "prefect.flow-run."));
  const id = resourceId(event.resource, EVENT_PREFIX);
  if (id === null) return null;
  const state = record(event.payload["validated_state"]);
  const task = record(event.payload["task_run"]);
  const report = TaskReport.safeParse({
    ...withoutNulls(task),
    id,
    states: [
      {
        id: event.id,
        type: state["type"],
        name: state["name"] ?? "",
        timestamp: event.occurred,
        message: state["message"] ?? null,
        data: state["data"] ?? null,
        state_details: withoutNulls(record(state["state_details"])),
      },
    ],
  });
  if (report.success) return { flowRunId: flowRunId.data ?? null, report: report.data };
  console.warn(`Event ${event.id} tells of task run ${id} in a form that is not understood.`, report.error.issues[0]);
  return null;
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** Clients send explicit nulls for "not said"; the schema's defaults say the same. */
function withoutNulls(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null));
}
