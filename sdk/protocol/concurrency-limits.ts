/**
 * Concurrency limits: how many slots of something are in use at the same time, or (with decay) per second.
 *
 * Whoever acquires slots holds a lease on them: it names one or several limits, all of them or none, and ends when it
 * is released or not renewed in time. What each limit means in detail stands in docs/limits.md.
 */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { Paging } from "./filters.ts";
import { Uuid } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { Name } from "./names.ts";
import { WireTime } from "./time.ts";

/** A limit as it is configured, with the slots that are taken of it at this moment. */
export const GlobalConcurrencyLimit = z.object({
  id: Uuid,
  created: WireTime,
  updated: WireTime,
  /** One that is not active limits nothing. */
  active: z.boolean(),
  name: z.string(),
  /** Slots that may be taken at the same time. Nobody gets one while it is 0. */
  limit: z.int(),
  active_slots: z.int(),
  /** Slots that come back by themselves each second; above 0 it is a rate limit. */
  slot_decay_per_second: z.number(),
});
export type GlobalConcurrencyLimit = z.infer<typeof GlobalConcurrencyLimit>;

/** The answer to a creation. */
export const ConcurrencyLimitV2 = GlobalConcurrencyLimit.extend({
  /** Slots that those in line ask for. */
  denied_slots: z.int(),
  /** How long a slot is held on average; 2 until one was given back. */
  avg_slot_occupancy_seconds: z.number(),
});
export type ConcurrencyLimitV2 = z.infer<typeof ConcurrencyLimitV2>;

const count = z.int().min(0);
const decay = z.number().min(0);

/** What a new limit is to be: active, without decay and with all slots free, unless said. */
export const ConcurrencyLimitCreate = z.object({
  active: z.boolean().nullish(),
  name: Name,
  /** In slots. */
  limit: count,
  /** Slots that are taken without a lease from the start. */
  active_slots: count.nullish(),
  /** Accepted for upstream's clients: who waits is counted, not configured. */
  denied_slots: count.nullish(),
  /** Above 0 makes it a rate limit. */
  slot_decay_per_second: decay.nullish(),
});
export type ConcurrencyLimitCreate = z.infer<typeof ConcurrencyLimitCreate>;

/** An absent key is left as it is. */
export const ConcurrencyLimitUpdate = ConcurrencyLimitCreate.partial();
export type ConcurrencyLimitUpdate = z.infer<typeof ConcurrencyLimitUpdate>;

/** Who holds or waits, as clients say it. */
export const LeaseHolder = z.object({
  type: z.enum(["flow_run", "task_run", "deployment", "process"]),
  id: Uuid,
});
export type LeaseHolder = z.infer<typeof LeaseHolder>;

/** A limit as those who take slots are told of it; `limit` is in slots. */
export const MinimalConcurrencyLimit = z.object({ id: Uuid, name: z.string(), limit: z.int() });
export type MinimalConcurrencyLimit = z.infer<typeof MinimalConcurrencyLimit>;

/** An empty list of limits means that none of the names has a limit: nothing is held, and nothing needs renewal. */
export const ConcurrencyLease = z.object({ lease_id: Uuid, limits: z.array(MinimalConcurrencyLimit) });
export type ConcurrencyLease = z.infer<typeof ConcurrencyLease>;

/** A lease or somebody in line, as people look at it. */
export const LimitHolder = z.object({
  lease_id: Uuid,
  slots: z.number(),
  /** Null where the caller did not say. */
  holder: LeaseHolder.nullable(),
  since: WireTime,
  /** Null for slots that are held until they are given back. */
  expires: WireTime.nullable(),
});
export type LimitHolder = z.infer<typeof LimitHolder>;
/** Somebody in line for slots, as people look at it. */
export const LimitWaiter = z.object({
  /** 1 is the next. */
  position: z.int(),
  slots: z.int(),
  /** Null where the caller did not say. */
  holder: LeaseHolder.nullable(),
  /** 1 is the most urgent. */
  priority: z.int(),
  since: WireTime,
  /** Whether it gets the slot the moment there is one; otherwise it comes back to ask. */
  connected: z.boolean(),
});
export type LimitWaiter = z.infer<typeof LimitWaiter>;
/** Who holds a limit's slots, the oldest first, and who waits for them, the next first. */
export const LimitOccupancy = z.object({
  active_slots: z.int(),
  avg_slot_occupancy_seconds: z.number(),
  holders: z.array(LimitHolder),
  waiters: z.array(LimitWaiter),
});
export type LimitOccupancy = z.infer<typeof LimitOccupancy>;

/** None means: nothing to hold, which succeeds. */
const names = z.array(z.string()).max(LIMITS.limitsPerLease);
const slots = z.int().min(1);
const mode = z.enum(["concurrency", "rate_limit"]).nullish();
/** Seconds; upstream's bounds. */
const lease_duration = z.number().min(60).max(86_400).nullish();
/** Accepted for old clients, and without effect, as upstream. */
const create_if_missing = z.boolean().nullish();

/**
 * A wish for `slots` of each of the limits that are named. Mode `rate_limit` is refused for limits without decay; the
 * default is `concurrency`.
 */
export const IncrementSlots = z.object({ slots, names, mode, create_if_missing });
/**
 * As {@link IncrementSlots}, on a lease of 300 seconds unless said. The holder is also how somebody who asks again is
 * recognised.
 */
export const IncrementSlotsWithLease = z.object({ slots, names, mode, lease_duration, holder: LeaseHolder.nullish() });
/**
 * How many slots of each of the limits come back. `occupancy_seconds` says how long they were held, all together; it
 * goes into the average by which others are told when to ask again.
 */
export const DecrementSlots = z.object({
  slots,
  names,
  occupancy_seconds: z.number().positive().nullish(),
  create_if_missing,
});

/**
 * A wish for slots, and how long to wait for them. In mode `rate_limit` they come back by themselves, so the answer is
 * a lease that needs no renewal.
 */
export const AcquireSlots = z.object({
  names,
  /** Default 1. */
  slots: slots.nullish(),
  mode,
  /** Whether a name without a limit is an error (404). Default false: it limits nothing. */
  strict: z.boolean().nullish(),
  /** For how long the slots are held without a renewal, in seconds. Default 30. */
  lease_seconds: z.number().min(1).max(86_400).nullish(),
  /** For how long to wait for the slots, in seconds, before 423 is answered. Default 0. */
  wait_seconds: z.number().min(0).max(LIMITS.waitSeconds).nullish(),
  /** Place in line: 1 is the most urgent, default 100. Within one priority it is first come, first served. */
  priority: z.int().min(1).max(1_000).nullish(),
  /** Made by the caller, and the same in each request for one thing: it finds the place in line again. */
  waiter_id: Uuid.nullish(),
  holder: LeaseHolder.nullish(),
});
export type AcquireSlots = z.infer<typeof AcquireSlots>;
/** Who waits no more: the names and the id with which it asked. */
export const LeaveLine = z.object({ names, waiter_id: Uuid });

const tag = "Concurrency Limits V2";
const byIdOrName = z.object({ id_or_name: z.string() });

/** It holds from the next slot that anybody takes. 409 when the name is taken. */
export const createConcurrencyLimitV2 = endpoint({
  id: "create_concurrency_limit_v2",
  method: "POST",
  path: "/v2/concurrency_limits/",
  tag,
  status: 201,
  summary: "Create a concurrency limit.",
  body: ConcurrencyLimitCreate,
  returns: ConcurrencyLimitV2,
});
/** The limit as it is now. What has the form of a UUID is taken for an id. 404 when there is none. */
export const readConcurrencyLimitV2 = endpoint({
  id: "read_concurrency_limit_v2",
  method: "GET",
  path: "/v2/concurrency_limits/:id_or_name",
  tag,
  role: "viewer",
  summary: "Read a concurrency limit.",
  params: byIdOrName,
  returns: GlobalConcurrencyLimit,
});
/** Also the limits of task tags (`tag:…`) and those of deployments (`deployment:…`). */
export const filterConcurrencyLimitsV2 = endpoint({
  id: "read_all_concurrency_limits_v2",
  method: "POST",
  path: "/v2/concurrency_limits/filter",
  tag,
  role: "viewer",
  summary: "List concurrency limits by name.",
  body: Paging,
  returns: z.array(GlobalConcurrencyLimit),
});
/**
 * Null leaves a thing as it is, as an absent key does; `active_slots` sets what is taken without a lease. 404 when
 * there is none; 409 when the new name is taken.
 */
export const updateConcurrencyLimitV2 = endpoint({
  id: "update_concurrency_limit_v2",
  method: "PATCH",
  path: "/v2/concurrency_limits/:id_or_name",
  tag,
  status: 204,
  summary:
    "Change a concurrency limit. A lower limit takes no slot from anybody; it is waited for until enough are free.",
  params: byIdOrName,
  body: ConcurrencyLimitUpdate,
});
/** What it limited is not limited any more, and who waits looks again. 404 when there is none. */
export const deleteConcurrencyLimitV2 = endpoint({
  id: "delete_concurrency_limit_v2",
  method: "DELETE",
  path: "/v2/concurrency_limits/:id_or_name",
  tag,
  status: 204,
  summary: "Delete a concurrency limit. Leases on it end: their next renewal is answered 410.",
  params: byIdOrName,
});
/**
 * Its `active_slots` also count what was taken without a lease, which need not be listed. 404 when there is no such
 * limit.
 */
export const readConcurrencyLimitHolders = endpoint({
  id: "read_concurrency_limit_holders",
  method: "GET",
  path: "/v2/concurrency_limits/:id_or_name/holders",
  tag,
  role: "viewer",
  summary: "Who holds a limit's slots, and who waits for them.",
  params: byIdOrName,
  returns: LimitOccupancy,
});
/** For slots that nobody will give back: those in line are next. 404 when there is no such limit. */
export const resetConcurrencyLimit = endpoint({
  id: "reset_concurrency_limit_v2",
  method: "POST",
  path: "/v2/concurrency_limits/:id_or_name/reset",
  tag,
  status: 204,
  summary: "Free all slots of a limit. Leases on it end: their next renewal is answered 410.",
  params: byIdOrName,
});
/**
 * Names without a limit, and limits that are not active, limit nothing. 423 with Retry-After when slots are missing;
 * 422 for more slots than a limit has, and for a rate limit without decay.
 */
export const incrementSlots = endpoint({
  id: "bulk_increment_active_slots",
  method: "POST",
  path: "/v2/concurrency_limits/increment",
  tag,
  role: "worker",
  summary: "Take slots of all the limits, or of none (423), until they are given back or have decayed.",
  body: IncrementSlots,
  returns: z.array(MinimalConcurrencyLimit),
});
/** When the lease ends, released or not renewed, its slots are free. Errors as those of {@link incrementSlots}. */
export const incrementSlotsWithLease = endpoint({
  id: "bulk_increment_active_slots_with_lease",
  method: "POST",
  path: "/v2/concurrency_limits/increment-with-lease",
  tag,
  role: "worker",
  summary: "Take slots of all the limits, or of none (423), for as long as the lease is renewed.",
  body: IncrementSlotsWithLease,
  returns: ConcurrencyLease,
});
/**
 * 423 when the wait is over: ask again with the same `waiter_id` to keep the place. 404 for a name without a limit
 * where `strict` is set; 422 as {@link incrementSlots}, but a limit of 0 is waited for.
 */
export const acquireSlots = endpoint({
  id: "acquire_slots",
  method: "POST",
  path: "/v2/concurrency_limits/acquire",
  tag,
  role: "worker",
  summary: "Wait in line for slots of all the limits, and be handed them the moment they are free.",
  body: AcquireSlots,
  returns: ConcurrencyLease,
});
/**
 * For whoever waits with {@link acquireSlots} and changes its mind: not every server sees at once that a client has gone,
 * and slots may be handed to one that has. Its request, if it still lasts, is answered 423. Nothing happens to one who
 * does not wait.
 */
export const leaveConcurrencyLine = endpoint({
  id: "leave_concurrency_line",
  method: "POST",
  path: "/v2/concurrency_limits/leave",
  tag,
  role: "worker",
  status: 204,
  summary: "Give up a place in line.",
  body: LeaveLine,
});
/** The other half of {@link incrementSlots}. More than was taken is no error, and neither is a name without a limit. */
export const decrementSlots = endpoint({
  id: "bulk_decrement_active_slots",
  method: "POST",
  path: "/v2/concurrency_limits/decrement",
  tag,
  role: "worker",
  summary: "Give back slots that were taken without a lease.",
  body: DecrementSlots,
  returns: z.array(MinimalConcurrencyLimit),
});
/** Frees the slots of the lease in all of its limits. */
export const decrementSlotsWithLease = endpoint({
  id: "bulk_decrement_active_slots_with_lease",
  method: "POST",
  path: "/v2/concurrency_limits/decrement-with-lease",
  tag,
  role: "worker",
  status: 204,
  summary: "End a lease. One that has ended already is no error.",
  body: z.object({ lease_id: Uuid }),
});
/** To be called well before the lease ends. After 410 the slots are somebody else's: stop what they protect. */
export const renewConcurrencyLease = endpoint({
  id: "renew_concurrency_lease",
  method: "POST",
  path: "/v2/concurrency_limits/leases/:id/renew",
  tag,
  role: "worker",
  status: 204,
  summary: "Hold a lease for longer, from now on; 410 when it has ended.",
  params: z.object({ id: Uuid }),
  body: z.object({
    /** Seconds. Default 300. Upstream's least is 60; leases of `acquire` may be shorter. */
    lease_duration: z.number().min(1).max(86_400).nullish(),
  }),
});
