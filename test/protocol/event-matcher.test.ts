import { describe, it } from "vitest";
import { EventFilter } from "#protocol/event-filter";
import { eventMatcher } from "#protocol/event-matcher";
import { Event } from "#protocol/events";

const ID = "0193a000-0000-7000-8000-000000000001";
const EVENT = Event.parse({
  id: ID,
  occurred: "2026-11-21T05:00:00Z",
  event: "prefect.flow-run.Completed",
  resource: { "prefect.resource.id": "prefect.flow-run.abc", "prefect.resource.name": "quiet-otter", env: "prod-eu" },
  related: [
    { "prefect.resource.id": "prefect.flow.f1", "prefect.resource.role": "flow", "prefect.resource.name": "etl" },
    { "prefect.resource.id": "prefect.tag.nightly", "prefect.resource.role": "tag" },
  ],
  payload: { validated_state: { type: "COMPLETED", message: "All done (42 rows)" } },
  follows: null,
});
/** One without related resources. */
const LONELY = { ...EVENT, related: [] };

function matches(filter: object, event: Event = EVENT): boolean {
  return eventMatcher(EventFilter.parse(filter))(event);
}

describe("a filter for events", () => {
  it.for<[object, boolean]>([
    [{}, true],
    [{ occurred: null, event: null, resource: null, related: null, any_resource: null, id: null, text: null }, true],
    [{ an_unknown_key: 7 }, true],
    // occurred: both ends included, compared as instants.
    [{ occurred: { since: "2026-11-21T05:00:00Z" } }, true],
    [{ occurred: { since: "2026-11-21T05:00:00.000001Z" } }, false],
    [{ occurred: { until: "2026-11-21T05:00:00Z" } }, true],
    [{ occurred: { until: "2026-11-21T04:59:59.999999Z" } }, false],
    [{ occurred: { since: "2026-11-21T07:00:00+02:00", until: "2026-11-21T07:00:00+02:00" } }, true],
    // event
    [{ event: { name: ["prefect.flow-run.Completed"] } }, true],
    [{ event: { name: ["prefect.flow-run.Failed"] } }, false],
    [{ event: { name: [] } }, true],
    [{ event: { prefix: ["prefect.flow-run."] } }, true],
    [{ event: { prefix: ["other.", "prefect."] } }, true],
    [{ event: { prefix: ["flow-run."] } }, false],
    [{ event: { exclude_prefix: ["prefect.flow-run."] } }, false],
    [{ event: { exclude_prefix: ["prefect.task-run."] } }, true],
    [{ event: { exclude_name: ["prefect.flow-run.Completed"] } }, false],
    [{ event: { exclude_name: [] } }, true],
    [{ event: { prefix: ["prefect."], exclude_name: ["prefect.flow-run.Completed"] } }, false],
    // resource
    [{ resource: { id: ["prefect.flow-run.abc"] } }, true],
    [{ resource: { id: ["prefect.flow-run.ab"] } }, false],
    [{ resource: { id: ["prefect.flow.f1"] } }, false],
    [{ resource: { id_prefix: ["prefect.flow-run."] } }, true],
    [{ resource: { id_prefix: ["prefect.flow."] } }, false],
    [{ resource: { id: [], id_prefix: [], labels: {} } }, true],
    [{ resource: { distinct: true } }, true],
    [{ resource: { labels: { env: "prod-eu" } } }, true],
    [{ resource: { labels: { env: "prod" } } }, false],
    [{ resource: { labels: { env: "prod-*" } } }, true],
    [{ resource: { labels: { env: "*-eu" } } }, true],
    [{ resource: { labels: { env: "prod-??" } } }, true],
    [{ resource: { labels: { env: "PROD-*" } } }, false],
    [{ resource: { labels: { env: ["dev", "prod-*"] } } }, true],
    [{ resource: { labels: { env: [] } } }, false],
    [{ resource: { labels: { env: "!dev-*" } } }, true],
    [{ resource: { labels: { env: "!prod-*" } } }, false],
    [{ resource: { labels: { env: ["!prod-*", "prod-eu"] } } }, true],
    // A label that is not there matches nothing, not even a negation.
    [{ resource: { labels: { region: "*" } } }, false],
    [{ resource: { labels: { region: "!x" } } }, false],
    [{ resource: { labels: { "prefect.resource.id": "prefect.flow-run.*", env: "prod-*" } } }, true],
    [{ resource: { labels: { "prefect.resource.id": "prefect.flow-run.*", env: "dev" } } }, false],
    // related: one resource must satisfy all criteria of one filter.
    [{ related: {} }, true],
    [{ related: [] }, true],
    [{ related: { id: ["prefect.flow.f1"] } }, true],
    [{ related: { id: ["prefect.flow-run.abc"] } }, false],
    [{ related: { role: ["tag"] } }, true],
    [{ related: { role: ["deployment"] } }, false],
    [{ related: { id: ["prefect.flow.f1"], role: ["flow"] } }, true],
    [{ related: { id: ["prefect.flow.f1"], role: ["tag"] } }, false],
    [{ related: { resources_in_roles: [["prefect.flow.f1", "flow"]] } }, true],
    [{ related: { resources_in_roles: [["prefect.flow.f1", "tag"]] } }, false],
    [{ related: { labels: { "prefect.resource.role": "flow", "prefect.resource.name": "e*" } } }, true],
    [{ related: { labels: { "prefect.resource.role": "tag", "prefect.resource.name": "e*" } } }, false],
    [{ related: [{ role: ["flow"] }, { id: ["prefect.tag.nightly"] }] }, true],
    [{ related: [{ role: ["flow"] }, { id: ["prefect.tag.daily"] }] }, false],
    // any_resource: the event's own or a related one.
    [{ any_resource: { id: ["prefect.flow-run.abc"] } }, true],
    [{ any_resource: { id: ["prefect.flow.f1"] } }, true],
    [{ any_resource: { id: ["prefect.flow.f2"] } }, false],
    [{ any_resource: { id_prefix: ["prefect.tag."] } }, true],
    [{ any_resource: { id_prefix: ["prefect.tag."], labels: { env: "prod-eu" } } }, false],
    [{ any_resource: [{ id_prefix: ["prefect.tag."] }, { labels: { env: "prod-eu" } }] }, true],
    // id
    [{ id: { id: [ID.toUpperCase()] } }, true],
    [{ id: { id: ["0193a000-0000-7000-8000-000000000002"] } }, false],
    [{ id: { id: [] } }, true],
    // text
    [{ text: { query: "" } }, true],
    [{ text: { query: "OTTER" } }, true],
    [{ text: { query: "nothing otter" } }, true],
    [{ text: { query: "nothing" } }, false],
    [{ text: { query: "-otter" } }, false],
    [{ text: { query: "!nothing" } }, true],
    [{ text: { query: "otter -rows" } }, false],
    [{ text: { query: "+otter +rows" } }, true],
    [{ text: { query: "+otter +nothing" } }, false],
    [{ text: { query: '"all done"' } }, true],
    [{ text: { query: '"done all"' } }, false],
    [{ text: { query: '-"all done"' } }, false],
    [{ text: { query: '"all done' } }, true],
    [{ text: { query: "otter - rows" } }, true],
    [{ text: { query: "nightly" } }, true],
    [{ text: { query: "prefect.resource.role" } }, false],
    // All criteria must hold.
    [{ event: { prefix: ["prefect."] }, text: { query: "nothing" } }, false],
  ])("%j: %s", ([filter, expected], { expect }) => {
    expect(matches(filter)).toBe(expected);
  });

  it("that says nothing about related resources matches an event without any", ({ expect }) => {
    expect(matches({ related: {}, any_resource: [] }, LONELY)).toBe(true);
    expect(matches({ related: { labels: { "prefect.resource.id": "*" } } }, LONELY)).toBe(false);
  });

  it("takes no long time over a pattern that fails late", { timeout: 2_000 }, ({ expect }) => {
    const event = { ...EVENT, resource: { ...EVENT.resource, env: "a".repeat(5_000) } };
    expect(matches({ resource: { labels: { env: `${"*a".repeat(50)}b` } } }, event)).toBe(false);
  });

  it.for<[unknown, string]>([
    [{ event: { name: "a string" } }, "event.name"],
    [{ occurred: { since: "yesterday" } }, "occurred.since"],
    [{ resource: { labels: { env: 7 } } }, "resource.labels.env"],
    [{ id: { id: ["not-an-id"] } }, "id.id.0"],
    [{ text: { query: "x".repeat(201) } }, "text.query"],
    [{ order: "SIDEWAYS" }, "order"],
    ["a string", ""],
  ])("%j is none, and the place of the fault is named", ([filter, place], { expect }) => {
    expect(EventFilter.safeParse(filter).error?.issues[0]?.path.join(".")).toBe(place);
  });
});
