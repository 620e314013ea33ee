/** Messages of queues that no consumer could handle: they are kept, can be looked at, and sent again. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { Paging } from "./filters.ts";
import { WireTime } from "./time.ts";

export const DeadLetter = z.object({
  /** The message's id. */
  id: z.string(),
  /** The queue that it was sent to: dispatch, pushes, events or actions. */
  queue: z.string(),
  body: z.unknown(),
  /** How often it was tried. */
  attempts: z.int(),
  /** When it was sent. */
  created: WireTime,
});
export type DeadLetter = z.infer<typeof DeadLetter>;

const byId = z.object({ id: z.string() });

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
export const deleteDeadLetter = endpoint({
  id: "delete_dead_letter",
  method: "DELETE",
  path: "/dead_letters/:id",
  tag: "Dead Letters",
  status: 204,
  summary: "Forget a message that was given up.",
  params: byId,
});
