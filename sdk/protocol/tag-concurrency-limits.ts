/** Limits on task runs by tag, as old clients and the CLI of Prefect write them: the limit of tag `x` is named `tag:x`. */
import { z } from "zod";
import { MinimalConcurrencyLimit } from "./concurrency-limits.ts";
import { endpoint } from "./endpoint.ts";
import { Paging } from "./filters.ts";
import { Uuid } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { WireTime } from "./time.ts";

/** How many task runs with the tag run at the same time; 0 lets none. */
export const TagConcurrencyLimit = z.object({
  id: Uuid,
  created: WireTime,
  updated: WireTime,
  tag: z.string(),
  concurrency_limit: z.int(),
  /** Ids of the task runs that hold a slot. */
  active_slots: z.array(Uuid),
});
export type TagConcurrencyLimit = z.infer<typeof TagConcurrencyLimit>;

const byId = z.object({ id: Uuid });
const byTag = z.object({ tag: z.string() });
const slotsOfTags = z.object({ names: z.array(z.string()).max(LIMITS.limitsPerLease), task_run_id: Uuid });
const tag = "Concurrency Limits";

/** 201 for a new limit, 200 for one that was changed; 409 when somebody else makes it at the same moment. */
export const createTagLimit = endpoint({
  id: "create_concurrency_limit",
  method: "POST",
  path: "/concurrency_limits/",
  tag,
  summary: "Limit the task runs with a tag, or change that limit.",
  body: z.object({ tag: z.string().min(1), concurrency_limit: z.int().min(0) }),
  returns: TagConcurrencyLimit,
});
/** 404 for an unknown id, also for that of a limit which is not one of a tag. */
export const readTagLimit = endpoint({
  id: "read_concurrency_limit",
  method: "GET",
  path: "/concurrency_limits/:id",
  tag,
  role: "viewer",
  summary: "Read a tag's limit.",
  params: byId,
  returns: TagConcurrencyLimit,
});
/** 404 for a tag without a limit. */
export const readTagLimitByTag = endpoint({
  id: "read_concurrency_limit_by_tag",
  method: "GET",
  path: "/concurrency_limits/tag/:tag",
  tag,
  role: "viewer",
  summary: "Read a tag's limit by the tag.",
  params: byTag,
  returns: TagConcurrencyLimit,
});
/** At most 200. Limits that are not those of tags are left out. */
export const filterTagLimits = endpoint({
  id: "read_concurrency_limits",
  method: "POST",
  path: "/concurrency_limits/filter",
  tag,
  role: "viewer",
  summary: "List the limits of tags.",
  body: Paging,
  returns: z.array(TagConcurrencyLimit),
});
/** Task runs that lose their slots run on. 404 for a tag without a limit. */
export const resetTagLimit = endpoint({
  id: "reset_concurrency_limit_by_tag",
  method: "POST",
  path: "/concurrency_limits/tag/:tag/reset",
  tag,
  summary: "Free the slots of a tag's limit, or give them to the task runs named.",
  params: byTag,
  body: z.object({ slot_override: z.array(Uuid).nullish() }),
});
/** 404 for an unknown id, also for that of a limit which is not one of a tag. */
export const deleteTagLimit = endpoint({
  id: "delete_concurrency_limit",
  method: "DELETE",
  path: "/concurrency_limits/:id",
  tag,
  summary: "Delete a tag's limit.",
  params: byId,
});
/** 404 for a tag without a limit. */
export const deleteTagLimitByTag = endpoint({
  id: "delete_concurrency_limit_by_tag",
  method: "DELETE",
  path: "/concurrency_limits/tag/:tag",
  tag,
  summary: "Delete a tag's limit by the tag.",
  params: byTag,
});
/**
 * All slots or none: 423 when one limit is full (Retry-After says when to ask again) or is 0. Tags without a limit, or
 * whose limit is not active, need no slot. Answers those that were taken; they are held until they are given back.
 */
export const incrementTagSlots = endpoint({
  id: "increment_concurrency_limits_v1",
  method: "POST",
  path: "/concurrency_limits/increment",
  tag,
  role: "worker",
  summary: "Take a slot of each tag's limit for a task run, or of none (423).",
  body: slotsOfTags,
  returns: z.array(MinimalConcurrencyLimit),
});
/** Tags without a limit, and slots that the task run does not hold, are passed over. Answers the limits of the tags. */
export const decrementTagSlots = endpoint({
  id: "decrement_concurrency_limits_v1",
  method: "POST",
  path: "/concurrency_limits/decrement",
  tag,
  role: "worker",
  summary: "Give back the slots of a task run.",
  body: slotsOfTags,
  returns: z.array(MinimalConcurrencyLimit),
});
