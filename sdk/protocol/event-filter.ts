/**
 * Which events somebody wants, in Prefect 3's wire form. An absent, null or empty criterion matches everything; unknown
 * keys are ignored. {@link eventMatcher} in event-matcher.ts says what a filter means.
 */
import { z } from "zod";
import { Uuid } from "./ids.ts";
import { LenientTime } from "./time.ts";

const words = z.array(z.string()).nullish();

/**
 * Labels that a resource must have: each label with a pattern or a list of patterns, of which one must match. A pattern
 * may hold `*`, `?` and `[…]`; with `!` before it, the label must be there and not match. An empty list matches nothing.
 */
export const ResourceSpecification = z.record(z.string(), z.union([z.string(), z.array(z.string())]));
export type ResourceSpecification = z.infer<typeof ResourceSpecification>;

/** Match the resource that an event is about. */
export const EventResourceFilter = z.object({
  id: words,
  id_prefix: words,
  labels: ResourceSpecification.nullish(),
  /** In a query: only the newest event of each resource. It means nothing for a stream of events. */
  distinct: z.boolean().nullish(),
});
export type EventResourceFilter = z.infer<typeof EventResourceFilter>;

/** Match events that have a related resource for which all criteria hold. */
export const EventRelatedFilter = z.object({
  id: words,
  role: words,
  /** Pairs of an id and a role. */
  resources_in_roles: z.array(z.tuple([z.string(), z.string()])).nullish(),
  labels: ResourceSpecification.nullish(),
});
export type EventRelatedFilter = z.infer<typeof EventRelatedFilter>;

/** Match events that have, as their own or as a related one, a resource for which all criteria hold. */
export const EventAnyResourceFilter = z.object({
  id: words,
  id_prefix: words,
  labels: ResourceSpecification.nullish(),
});
export type EventAnyResourceFilter = z.infer<typeof EventAnyResourceFilter>;

/** Which events, and in which order. All criteria must hold. */
export const EventFilter = z.object({
  /** Both ends included. Without `until` there is no end. */
  occurred: z.object({ since: LenientTime.nullish(), until: LenientTime.nullish() }).nullish(),
  /** By the event's name: one of the names or prefixes, and none of those that are excluded. */
  event: z.object({ prefix: words, exclude_prefix: words, name: words, exclude_name: words }).nullish(),
  resource: EventResourceFilter.nullish(),
  /** Of a list all must match, each by a related resource of its own or the same. */
  related: z.union([EventRelatedFilter, z.array(EventRelatedFilter)]).nullish(),
  /** Of a list all must match. */
  any_resource: z.union([EventAnyResourceFilter, z.array(EventAnyResourceFilter)]).nullish(),
  id: z.object({ id: z.array(Uuid).nullish() }).nullish(),
  /** One of the words, none of those after `-` or `!`, and all of those after `+`; "…" holds words together. */
  text: z.object({ query: z.string().max(200) }).nullish(),
  /** In a query, by `occurred`. A stream is always in the order of arrival. */
  order: z.enum(["ASC", "DESC"]).nullish(),
});
export type EventFilter = z.infer<typeof EventFilter>;
