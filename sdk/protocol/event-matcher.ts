/** What an event filter means: one pure function, used wherever events are matched. */
import type {
  EventAnyResourceFilter,
  EventFilter,
  EventRelatedFilter,
  EventResourceFilter,
  ResourceSpecification,
} from "./event-filter.ts";
import type { Event, EventResource } from "./events.ts";
import { globMatches } from "./glob.ts";
import { parseTextQuery } from "./text-query.ts";

type Test<T> = (subject: T) => boolean;

/** Makes the test of a filter: all of its criteria must hold. `resource.distinct` and `order` are no criteria. */
export function eventMatcher(filter: EventFilter): Test<Event> {
  const { occurred, event, resource, related, any_resource: anyResource, id, text } = filter;
  const { since, until } = occurred ?? {};
  return all<Event>([
    since != null && ((subject) => subject.occurred >= since),
    until != null && ((subject) => subject.occurred <= until),
    ...nameTests(event ?? {}),
    resource != null && on((subject: Event) => subject.resource, resourceTest(resource)),
    ...listed(related).map(
      (criterion) => isSaid(criterion) && some((subject: Event) => subject.related, relatedTest(criterion)),
    ),
    ...listed(anyResource).map(
      (criterion) =>
        isSaid(criterion) && some((subject: Event) => [subject.resource, ...subject.related], resourceTest(criterion)),
    ),
    oneOf(id?.id, (subject) => subject.id),
    text != null && textTest(text.query),
  ]);
}

/** Whether a resource has the labels that a specification asks for. */
export function hasLabels(resource: EventResource, specification: ResourceSpecification): boolean {
  return Object.entries(specification).every(([label, wanted]) => {
    const value = resource[label];
    return value !== undefined && listed(wanted).some((pattern) => patternMatches(pattern, value));
  });
}

function patternMatches(pattern: string, value: string): boolean {
  return pattern.startsWith("!") ? !globMatches(pattern.slice(1), value) : globMatches(pattern, value);
}

function nameTests(names: NonNullable<EventFilter["event"]>): (Test<Event> | false)[] {
  const { prefix, exclude_prefix: excludePrefix, name, exclude_name: excludeName } = names;
  const nameOf = (subject: Event): string => subject.event;
  return [
    startsWithOneOf(prefix, nameOf),
    not(startsWithOneOf(excludePrefix, nameOf)),
    oneOf(name, nameOf),
    not(oneOf(excludeName, nameOf)),
  ];
}

function resourceTest(criterion: EventResourceFilter | EventAnyResourceFilter): Test<EventResource> {
  const labels = criterion.labels;
  return all<EventResource>([
    oneOf(criterion.id, idOf),
    startsWithOneOf(criterion.id_prefix, idOf),
    labels != null && ((resource) => hasLabels(resource, labels)),
  ]);
}

function relatedTest(criterion: EventRelatedFilter): Test<EventResource> {
  const { resources_in_roles: pairs, labels } = criterion;
  return all<EventResource>([
    oneOf(criterion.id, idOf),
    oneOf(criterion.role, roleOf),
    pairs != null &&
      pairs.length > 0 &&
      ((resource) => pairs.some(([id, role]) => idOf(resource) === id && roleOf(resource) === role)),
    labels != null && ((resource) => hasLabels(resource, labels)),
  ]);
}

/** A related resource is asked for only where something is said about it. */
function isSaid(criterion: EventRelatedFilter | EventAnyResourceFilter): boolean {
  return Object.values(criterion).some((value) => value != null && Object.keys(value).length > 0);
}

function textTest(query: string): Test<Event> {
  const { anyOf, noneOf, allOf } = parseTextQuery(query);
  return (subject) => {
    const text = searchableText(subject);
    const isThere = (term: string): boolean => text.includes(term);
    return (anyOf.length === 0 || anyOf.some(isThere)) && !noneOf.some(isThere) && allOf.every(isThere);
  };
}

/** The name, the values of all labels, and the payload with its keys; whatever the case. */
function searchableText({ event, resource, related, payload }: Event): string {
  const values = [resource, ...related].flatMap((labels) => Object.values(labels));
  return [event, ...values, JSON.stringify(payload)].join(" ").toLowerCase();
}

function idOf(resource: EventResource): string {
  return resource["prefect.resource.id"] ?? "";
}

function roleOf(resource: EventResource): string {
  return resource["prefect.resource.role"] ?? "";
}

function listed<T>(value: T | readonly T[] | null | undefined): readonly T[] {
  if (value == null) return [];
  return Array.isArray(value) ? value : [value as T];
}

function all<T>(tests: readonly (Test<T> | false)[]): Test<T> {
  const asked = tests.filter((test) => test !== false);
  return (subject) => asked.every((test) => test(subject));
}

function not<T>(test: Test<T> | false): Test<T> | false {
  return test && ((subject) => !test(subject));
}

function on<T, U>(part: (subject: T) => U, test: Test<U>): Test<T> {
  return (subject) => test(part(subject));
}

function some<T, U>(parts: (subject: T) => readonly U[], test: Test<U>): Test<T> {
  return (subject) => parts(subject).some(test);
}

function oneOf<T>(wanted: readonly string[] | null | undefined, value: (subject: T) => string): Test<T> | false {
  if (wanted == null || wanted.length === 0) return false;
  const set = new Set(wanted);
  return (subject) => set.has(value(subject));
}

function startsWithOneOf<T>(
  prefixes: readonly string[] | null | undefined,
  value: (subject: T) => string,
): Test<T> | false {
  if (prefixes == null || prefixes.length === 0) return false;
  return (subject) => prefixes.some((prefix) => value(subject).startsWith(prefix));
}
