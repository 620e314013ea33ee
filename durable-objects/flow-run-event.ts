/** The event that tells of a written state of a flow run, in Prefect 3's form: its id is the state's own. */
import type { Event, EventResource } from "#protocol/events";
import type { FlowRunId } from "#protocol/ids";
import type { State } from "#protocol/states";
import { fromWireTime } from "#protocol/time";
import type { ResourceNames } from "./resource-names.ts";
import type { RunSpec } from "./storage/run-rows.ts";

/** Some people put large results into messages; an event carries this many characters of one. */
const MESSAGE_CHARS = 100_000;
/** States closer than this are connected by `follows`: their events may arrive out of order. */
const TIGHT_MS = 5 * 60_000;
const TAGS_MAX = 80;

/** One step of a flow run, as it was written. */
export interface FlowRunStep {
  readonly id: FlowRunId;
  readonly from: State | null;
  readonly to: State;
  readonly runCount: number;
}

export function flowRunEvent(step: FlowRunStep, spec: RunSpec, names: ResourceNames): Event {
  const { id, from, to } = step;
  return {
    id: to.id,
    occurred: to.timestamp,
    event: `prefect.flow-run.${to.name}`,
    resource: {
      "prefect.resource.id": `prefect.flow-run.${id}`,
      "prefect.resource.name": spec.name,
      "prefect.run-count": String(step.runCount),
      "prefect.state-message": briefly(to.message ?? ""),
      "prefect.state-name": to.name,
      "prefect.state-timestamp": to.timestamp,
      "prefect.state-type": to.type,
    },
    related: relatedTo(spec, names),
    payload: {
      intended: { from: from?.type ?? null, to: to.type },
      initial_state: from && stateParts(from),
      validated_state: stateParts(to),
    },
    follows: from && isTight(from, to) ? from.id : null,
  };
}

/** What belongs to a run: its flow, deployment, queue, pool, parent, tags and creator. */
export function relatedTo(spec: RunSpec, names: ResourceNames): EventResource[] {
  const { placement, createdBy } = spec;
  const flow = names.flow(spec.flowId);
  const deployment = spec.deploymentId ? names.deployment(spec.deploymentId) : null;
  const resources: EventResource[] = [resource("flow", spec.flowId, flow?.name)];
  if (spec.deploymentId) resources.push(resource("deployment", spec.deploymentId, deployment?.name));
  if (placement?.queue.id) resources.push(resource("work-queue", placement.queue.id, placement.queue.name));
  if (placement) {
    const type = names.poolType(placement.poolId);
    resources.push({
      ...resource("work-pool", placement.poolId, placement.poolName),
      ...(type ? { "prefect.work-pool.type": type } : {}),
    });
  }
  if (spec.parentTaskRunId) {
    resources.push(resource("task-run", spec.parentTaskRunId, names.taskRun(spec.parentTaskRunId)));
  }
  const tags = new Set([...spec.tags, ...(flow?.tags ?? []), ...(deployment?.tags ?? [])]);
  for (const tag of [...tags].sort().slice(0, TAGS_MAX)) {
    if (tag !== "") resources.push({ "prefect.resource.id": `prefect.tag.${tag}`, "prefect.resource.role": "tag" });
  }
  if (createdBy?.id && (createdBy.type === "DEPLOYMENT" || createdBy.type === "AUTOMATION")) {
    resources.push({
      "prefect.resource.id": `prefect.${createdBy.type.toLowerCase()}.${createdBy.id}`,
      "prefect.resource.role": "creator",
      ...(createdBy.display_value ? { "prefect.resource.name": createdBy.display_value } : {}),
    });
  }
  return resources;
}

/** A name that is not known (its thing was deleted, say) is left out. */
export function resource(kind: string, id: string, name: string | null | undefined): EventResource {
  return {
    "prefect.resource.id": `prefect.${kind}.${id}`,
    "prefect.resource.role": kind,
    ...(name ? { "prefect.resource.name": name } : {}),
  };
}

function stateParts(state: State): Record<string, string> {
  return {
    type: state.type,
    name: state.name,
    ...(state.message ? { message: briefly(state.message) } : {}),
    ...(state.type === "PAUSED" ? { pause_reschedule: String(state.state_details.pause_reschedule) } : {}),
  };
}

/** A message as events carry it. */
export function briefly(message: string): string {
  if (message.length <= MESSAGE_CHARS) return message;
  const half = Math.floor(MESSAGE_CHARS / 2);
  return `${message.slice(0, half)}...${message.length - 2 * half} additional characters...${message.slice(-half)}`;
}

export function isTight(from: State, to: State): boolean {
  return Math.abs(fromWireTime(to.timestamp) - fromWireTime(from.timestamp)) < TIGHT_MS;
}
