/** Events, in Prefect 3's wire form: what happened to which resource, with related resources and a payload. */
import { z } from "zod";
import { Uuid } from "./ids.ts";
import { WireTime } from "./time.ts";

/** Labels of one resource; `prefect.resource.id` names it. */
export const EventResource = z.record(z.string(), z.string());
export type EventResource = z.infer<typeof EventResource>;

export const Event = z.object({
  id: Uuid,
  occurred: WireTime,
  event: z.string().min(1).max(1_024),
  resource: EventResource,
  related: z
    .array(EventResource)
    .nullish()
    .transform((related) => related ?? []),
  payload: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((payload) => payload ?? {}),
  follows: Uuid.nullish().transform((follows) => follows ?? null),
});
export type Event = z.infer<typeof Event>;

/** The subprotocol that Prefect's event clients ask for, and expect to be named in the answer. */
export const EVENTS_SUBPROTOCOL = "prefect";

/** The first frame of a client that asked for the subprotocol. */
export const AuthFrame = z.object({ type: z.literal("auth"), token: z.string().nullish() });

const RESOURCE_ID = "prefect.resource.id";
const RESOURCE_ROLE = "prefect.resource.role";

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
