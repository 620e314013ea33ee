/** Inboxes that events are spread over; each is one object, and every one hands on to the same places. */
import type { EventInboxObject } from "../durable-objects/event-inbox-object.ts";

const INBOXES_MAX = 16;

/** One of the inboxes, at random. */
export function eventInbox(env: Env): DurableObjectStub<EventInboxObject> {
  const inboxes = Math.max(1, Math.min(INBOXES_MAX, Number(env.SLUICE_SHARDS) || 1));
  const random = crypto.getRandomValues(new Uint8Array(1))[0] ?? 0;
  return env.EVENT_INBOXES.getByName(`inbox-${random % inboxes}`);
}
