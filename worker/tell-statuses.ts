/**
 * Tells of pools, queues and deployments that became ready, not ready or paused, by events in Prefect 3's form. A status
 * follows from workers, polls and pauses, which change by time as well: each minute's tick looks, and a change by a
 * person is told at once. An event is noted before it is sent and sent again under the same id until the hub has it.
 */
import type { Event, EventResource } from "#protocol/events";
import { type EpochMs, toWireTime } from "#protocol/time";
import { EVENT_HUB } from "../durable-objects/event-hub-object.ts";
import {
  type ChangedStatus,
  changedStatuses,
  markTold,
  type NotedStatus,
  noteStatuses,
} from "./db/queries/told-statuses.ts";
import { newId } from "./new-id.ts";

/** Events of one look; what is left is for the next. */
const CHANGES_PER_LOOK = 200;
/** Events of one resource that are closer than this name the one before them, since they may arrive out of order. */
const TIGHT_MS = 10 * 60_000;

/** Answers how many changes were told. */
export async function tellStatuses(env: Env, now: EpochMs): Promise<number> {
  const changes = await changedStatuses(env, now, CHANGES_PER_LOOK);
  if (changes.length === 0) return 0;
  const found = changes.map((change) => ({ change, noted: notedOf(change, now) }));
  const own = await noteStatuses(
    env,
    found.map(({ noted }) => noted),
  );
  const told = found.filter(({ change }) => own.has(change.id));
  if (told.length === 0) return 0;
  await env.EVENT_HUBS.getByName(EVENT_HUB).publish(told.map(({ change, noted }) => statusEvent(change, noted)));
  await markTold(
    env,
    told.map(({ noted }) => noted),
  );
  return told.length;
}

/** Tells without keeping a request waiting or failing it: what is missed here is told by the minute's tick. */
export async function tellStatusesNow(env: Env): Promise<void> {
  try {
    await tellStatuses(env, Date.now() as EpochMs);
  } catch (error) {
    console.warn("Changed statuses were not told; the next tick tells of them.", error);
  }
}

/** One that was noted and perhaps not sent keeps its id, unless its status has changed again. */
function notedOf(change: ChangedStatus, now: EpochMs): NotedStatus {
  const { id, status, notedStatus, notedEventId, notedSince } = change;
  if (status === notedStatus && notedEventId !== null && notedSince !== null) {
    return { id, status, eventId: notedEventId, since: notedSince };
  }
  return { id, status, eventId: newId(), since: now };
}

function statusEvent(change: ChangedStatus, { eventId, since }: NotedStatus): Event {
  const { kind, id, name, status, notedEventId, notedSince } = change;
  const isTight = notedSince !== null && since > notedSince && since - notedSince < TIGHT_MS;
  return {
    id: eventId,
    occurred: toWireTime(since),
    event: `prefect.${kind}.${status.toLowerCase().replace("_", "-")}`,
    resource: {
      "prefect.resource.id": `prefect.${kind}.${id}`,
      "prefect.resource.name": name,
      ...(kind === "work-pool" ? { "prefect.work-pool.type": change.poolType ?? "" } : {}),
      ...(kind === "work-queue" ? { "prefect.resource.role": "work-queue" } : {}),
    },
    related: relatedTo(change),
    payload: {},
    follows: kind === "work-pool" && isTight ? notedEventId : null,
  };
}

function relatedTo(change: ChangedStatus): EventResource[] {
  const { kind, flowId, flowName, queueId, queueName, poolId, poolName, poolType } = change;
  if (kind === "work-pool") return [];
  const related: EventResource[] = [];
  const add = (role: string, id: string | null, name: string | null, more: Record<string, string> = {}): void => {
    if (id === null) return;
    const names = { "prefect.resource.name": name ?? "", ...more, "prefect.resource.role": role };
    related.push({ "prefect.resource.id": `prefect.${role}.${id}`, ...names });
  };
  add("flow", flowId, flowName);
  if (kind === "deployment") add("work-queue", queueId, queueName);
  add("work-pool", poolId, poolName, { "prefect.work-pool.type": poolType ?? "" });
  return related;
}
