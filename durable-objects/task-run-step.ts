/**
 * The event that tells of a state of a task run which came over a run channel: the same that Prefect's clients send of
 * theirs by themselves. Its id is the state's own.
 */
import type { Event } from "#protocol/events";
import type { FlowRunId } from "#protocol/ids";
import type { State } from "#protocol/states";
import type { TaskRun } from "#protocol/task-runs";
import { briefly, isTight, relatedTo, resource } from "./flow-run-event.ts";
import type { ResourceNames } from "./resource-names.ts";
import type { RunSpec } from "./storage/run-rows.ts";

/** One step of a task run, as it was stored. */
export interface TaskRunStep {
  /** Of the flow run that it belongs to. */
  readonly id: FlowRunId;
  /** As it was after the report that told of the step. */
  readonly task: TaskRun;
  readonly from: State | null;
  readonly to: State;
}

/** What stands elsewhere in the event, or is of the control plane's own making. */
const LEFT_OUT = new Set([
  "id",
  "created",
  "updated",
  "flow_run_id",
  "state_id",
  "state_type",
  "state_name",
  "state",
  "estimated_start_time_delta",
  "estimated_run_time",
]);

export function taskRunEvent({ id, task, from, to }: TaskRunStep, spec: RunSpec, names: ResourceNames): Event {
  return {
    id: to.id,
    occurred: to.timestamp,
    event: `prefect.task-run.${to.name}`,
    resource: {
      "prefect.resource.id": `prefect.task-run.${task.id}`,
      "prefect.resource.name": task.name,
      "prefect.run-count": String(task.run_count),
      "prefect.state-message": briefly(to.message ?? ""),
      "prefect.state-name": to.name,
      "prefect.state-timestamp": to.timestamp,
      "prefect.state-type": to.type,
      "prefect.orchestration": "client",
    },
    related: [
      ...[...task.tags].sort().map((tag) => ({
        "prefect.resource.id": `prefect.tag.${tag}`,
        "prefect.resource.role": "tag",
      })),
      resource("flow-run", id, spec.name),
      ...relatedTo(spec, names),
    ],
    payload: {
      intended: { from: from?.type ?? null, to: to.type },
      initial_state: from && stateParts(from),
      validated_state: { ...stateParts(to), data: to.data },
      task_run: withoutNulls(Object.fromEntries(Object.entries(task).filter(([name]) => !LEFT_OUT.has(name)))),
    },
    follows: from && isTight(from, to) ? from.id : null,
  };
}

function stateParts({ type, name, message, state_details: details }: State): Record<string, unknown> {
  const { flow_run_id: _, task_run_id: __, ...rest } = details;
  return { type, name, message: message === null ? null : briefly(message), state_details: withoutNulls(rest) };
}

function withoutNulls(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null));
}
