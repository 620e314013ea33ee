/** Events, in Prefect 3's wire form: what happened to which resource, with related resources and a payload. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { Uuid } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { WireTime } from "./time.ts";
import { utf8Length } from "./utf8.ts";

const RESOURCE_ID = "prefect.resource.id";
const RESOURCE_ROLE = "prefect.resource.role";

/** Labels of one resource; `prefect.resource.id` names it. */
export const EventResource = z
  .record(z.string(), z.string())
  .refine((labels) => Boolean(labels[RESOURCE_ID]), { error: `must have a label "${RESOURCE_ID}" that is not empty` })
  .refine((labels) => Object.keys(labels).length <= LIMITS.eventLabels, {
    error: `may have ${LIMITS.eventLabels} labels`,
  });
export type EventResource = z.infer<typeof EventResource>;

/** A resource that has a part in an event; `prefect.resource.role` says which. */
export const RelatedResource = EventResource.refine((labels) => Boolean(labels[RESOURCE_ROLE]), {
  error: `must have a label "${RESOURCE_ROLE}" that is not empty`,
});

/** An event as its sender tells it. Its id is the sender's: a second one with the same id is the same event. */
export const Event = z.object({
  id: Uuid,
  /** By the sender's clock; it may lie in the past or in the future. */
  occurred: WireTime,
  /** What happened, in words with dots between, such as `prefect.flow-run.Completed`. */
  event: z.string().min(1).max(LIMITS.eventNameChars),
  resource: EventResource,
  related: z
    .array(RelatedResource)
    .max(LIMITS.eventRelated)
    .nullish()
    .transform((related) => related ?? []),
  payload: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((payload) => payload ?? {}),
  /** An event that came before this one, where the sender knows of one that is close in time. */
  follows: Uuid.nullish().transform((follows) => follows ?? null),
});
export type Event = z.infer<typeof Event>;

/** An event as subscribers get it. */
export interface ReceivedEvent extends Event {
  /** By the control plane's clock. */
  readonly received: WireTime;
}

/** The subprotocol that Prefect's event clients ask for, and expect to be named in the answer. */
export const EVENTS_SUBPROTOCOL = "prefect";

/** The first frame of a client that asked for the subprotocol. */
export const AuthFrame = z.object({ type: z.literal("auth"), token: z.string().nullish() });

/** The first frame of a subscriber after the handshake. The filter is read separately, since its faults are answered differently. */
export const FilterFrame = z.object({
  type: z.literal("filter"),
  filter: z.unknown().optional(),
  /** Whether events of the last 15 minutes come first; true unless said otherwise. */
  backfill: z
    .boolean()
    .nullish()
    .transform((backfill) => backfill ?? true),
});

/** The id behind `prefix` in a resource's name: `resourceId(resource, "prefect.task-run.")`. */
export function resourceId(resource: EventResource, prefix: string): string | null {
  const id = resource[RESOURCE_ID];
  return id?.startsWith(prefix) ? id.slice(prefix.length) : null;
}

/** The id of the related resource with this role. */
export function relatedId(event: Event, role: string, prefix: string): string | null {
  const related = event.related.find((resource) => resource[RESOURCE_ROLE] === role);
  return related ? resourceId(related, prefix) : null;
}

const SizedEvent = Event.refine((event) => utf8Length(JSON.stringify(event)) <= LIMITS.eventBytes, {
  error: `is larger than the ${LIMITS.eventBytes} bytes that one event may have`,
});

/**
 * For clients without a WebSocket; answered when the events are stored. 422, and nothing is stored, when one of them is
 * not in the form of an event or too large, or when there are more than 1,000.
 */
export const createEvents = endpoint({
  id: "create_events",
  method: "POST",
  path: "/events",
  tag: "Events",
  role: "worker",
  status: 204,
  summary: "Tell of events. One whose id is known already is not told of twice.",
  body: z.array(SizedEvent).max(LIMITS.eventsPerRequest),
});
