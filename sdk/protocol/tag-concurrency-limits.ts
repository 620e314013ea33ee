/** Limits on task runs by tag, as old clients and the CLI of Prefect write them: the limit of tag `x` is named `tag:x`. */
import { z } from "zod";
import { MinimalConcurrencyLimit } from "./concurrency-limits.ts";
import { endpoint } from "./endpoint.ts";
import { Paging } from "./filters.ts";
import { Uuid } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { WireTime } from "./time.ts";

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

export const createTagLimit = endpoint({
  id: "create_concurrency_limit",
  method: "POST",
  path: "/concurrency_limits/",
  tag,
  summary: "Limit the task runs with a tag, or change that limit.",
  body: z.object({ tag: z.string().min(1), concurrency_limit: z.int().min(0) }),
  returns: TagConcurrencyLimit,
});
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
export const resetTagLimit = endpoint({
  id: "reset_concurrency_limit_by_tag",
  method: "POST",
  path: "/concurrency_limits/tag/:tag/reset",
  tag,
  summary: "Free the slots of a tag's limit, or give them to the task runs named.",
  params: byTag,
  body: z.object({ slot_override: z.array(Uuid).nullish() }),
});
export const deleteTagLimit = endpoint({
  id: "delete_concurrency_limit",
  method: "DELETE",
  path: "/concurrency_limits/:id",
  tag,
  summary: "Delete a tag's limit.",
  params: byId,
});
export const deleteTagLimitByTag = endpoint({
  id: "delete_concurrency_limit_by_tag",
  method: "DELETE",
  path: "/concurrency_limits/tag/:tag",
  tag,
  summary: "Delete a tag's limit by the tag.",
  params: byTag,
});
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
