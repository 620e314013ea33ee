/** Messages of queues that no consumer could handle: they are kept, can be looked at, and sent again. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { Paging } from "./filters.ts";
import { WireTime } from "./time.ts";

/** A message that was given up after its last attempt. */
export const DeadLetter = z.object({
  /** The message's id. */
  id: z.string(),
  /** The queue that it was sent to: dispatch, pushes, events or actions. */
  queue: z.string(),
  /** What was sent, as JSON. */
  body: z.unknown(),
  /** How often it was tried. */
  attempts: z.int(),
  /** When it was sent. */
  created: WireTime,
});
export type DeadLetter = z.infer<typeof DeadLetter>;

const byId = z.object({ id: z.string() });

/** Of one queue, or of all. They are kept for 30 days unless the server is set otherwise. */
export const filterDeadLetters = endpoint({
  id: "filter_dead_letters",
  method: "POST",
  path: "/dead_letters/filter",
  tag: "Dead Letters",
  role: "viewer",
  summary: "List messages that were given up, the latest first.",
  body: z.object({ queue: z.string().nullish() }).extend(Paging.shape),
  returns: z.array(DeadLetter),
});
/** One message with its body. 404 when there is none, also after it was sent again. */
export const readDeadLetter = endpoint({
  id: "read_dead_letter",
  method: "GET",
  path: "/dead_letters/:id",
  tag: "Dead Letters",
  role: "viewer",
  summary: "Read a message that was given up.",
  params: byId,
  returns: DeadLetter,
});
/**
 * To be done when the cause is mended: a message that fails again becomes a letter again. 404 when there is none; 409
 * when this version has no such queue.
 */
export const replayDeadLetter = endpoint({
  id: "replay_dead_letter",
  method: "POST",
  path: "/dead_letters/:id/replay",
  tag: "Dead Letters",
  status: 202,
  summary: "Send a message that was given up to its queue again, and forget the letter.",
  params: byId,
  returns: DeadLetter,
});
/** Gives the message up for good: what it was to do is not done. 404 when there is none. */
export const deleteDeadLetter = endpoint({
  id: "delete_dead_letter",
  method: "DELETE",
  path: "/dead_letters/:id",
  tag: "Dead Letters",
  status: 204,
  summary: "Forget a message that was given up.",
  params: byId,
});
