import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import { type Event, Event as EventSchema } from "#protocol/events";
import { LIMITS } from "#protocol/limits";
import { clock } from "../../durable-objects/clock.ts";
import { EVENT_HUB } from "../../durable-objects/event-hub-object.ts";
import { EventStore } from "../../durable-objects/storage/event-store.ts";
import { call, freshName } from "./support/api.ts";
import { MINUTE_MS, movableClock } from "./support/pools.ts";
import { closeOf, connect, connectAsPrefect, eventsOf, subscribe } from "./support/prefect-socket.ts";
import { until } from "./support/runs.ts";

const OUT = "/events/out";
const hub = () => env.EVENT_HUBS.getByName(EVENT_HUB);
const move = movableClock();

function anEvent(name: string, more: Partial<Record<keyof Event, unknown>> = {}): Event {
  return EventSchema.parse({
    id: crypto.randomUUID(),
    occurred: new Date(clock.now()).toISOString(),
    event: name,
    resource: { "prefect.resource.id": "test.thing" },
    ...more,
  });
}

const named = (name: string) => ({ event: { name: [name] } });

describe("the opening of /events/out", () => {
  it("echoes the subprotocol, and answers auth_success although nobody has to authenticate", async ({ expect }) => {
    const peer = await connectAsPrefect(OUT);
    expect(peer.protocol).toBe("prefect");
    expect(peer.frames).toEqual([{ type: "auth_success" }]);
  });

  it.for([
    [
      { type: "filter", filter: {} },
      { code: 1008, reason: "Expected 'auth' message" },
    ],
    ["not an object", { code: 1008, reason: "Expected 'auth' message" }],
  ] as const)("closes after a first frame of %j", async ([frame, closed], { expect }) => {
    const peer = await connect(OUT);
    peer.send(frame);
    expect(await closeOf(peer)).toEqual(closed);
  });

  it.for<[unknown, string]>([
    [{ type: "what?", filter: {} }, "Expected 'filter' message"],
    ["not an object", "Expected 'filter' message"],
    [{ type: "filter" }, "Invalid filter: "],
    [{ type: "filter", filter: { event: { name: "x" } } }, "Invalid filter: event.name: "],
    [{ type: "filter", filter: { id: { id: ["é".repeat(200)] } } }, "Invalid filter: id.id.0: "],
  ])("closes with 1002 after a second frame of %j", async ([frame, reason], { expect }) => {
    const peer = await connectAsPrefect(OUT);
    peer.send(frame);
    expect(await closeOf(peer)).toEqual({ code: 1002, reason: expect.stringContaining(reason) });
  });

  it("lets old clients in that ask for no subprotocol", async ({ expect }) => {
    const name = freshName("old");
    const peer = await connect(OUT, {});
    peer.send({ type: "filter", filter: named(name) });
    await hub().publish([anEvent(name)]);
    await until("the event", async () => eventsOf(peer).length === 1);
    expect(peer.protocol).toBeNull();
  });
});

describe("a subscriber of events", () => {
  it("gets what its filter matches, as it was sent, with the time it was received", async ({ expect }) => {
    const name = freshName("live");
    const peer = await subscribe(OUT, named(name));
    const event = anEvent(name, { payload: { text: "two\nlines, ünïcode" } });
    await hub().publish([anEvent("another"), event]);
    await until("the event", async () => eventsOf(peer).length > 0);
    expect(eventsOf(peer)).toEqual([{ ...event, received: expect.stringMatching(/Z$/) }]);
  });

  it("gets the events of the last minutes first, unless it does not want them", async ({ expect }) => {
    const name = freshName("backfill");
    await hub().publish([anEvent(name), anEvent(name)]);
    const [all, fresh] = [await subscribe(OUT, named(name)), await subscribe(OUT, named(name), { backfill: false })];
    await until("the backfill", async () => eventsOf(all).length === 2);
    await hub().publish([anEvent(name)]);
    await until("the live event", async () => eventsOf(all).length === 3 && eventsOf(fresh).length === 1);
    expect(new Set(eventsOf(all).map(({ id }) => id)).size).toBe(3);
  });

  it.for([
    [14 * MINUTE_MS, 1],
    [16 * MINUTE_MS, 0],
  ] as const)("is told of what occurred %d ms ago, at most 15 minutes: %d", async ([agoMs, count], { expect }) => {
    const name = freshName("past");
    await hub().publish([anEvent(name, { occurred: new Date(Date.now() - agoMs).toISOString() })]);
    const peer = await subscribe(OUT, { ...named(name), occurred: { since: "2020-01-01T00:00:00Z" } });
    await hub().publish([anEvent(name)]);
    await until("the live event", async () => eventsOf(peer).length > count);
    expect(eventsOf(peer)).toHaveLength(count + 1);
  });

  it("is told of an event that lies in the future", async ({ expect }) => {
    const name = freshName("future");
    const peer = await subscribe(OUT, named(name));
    await hub().publish([anEvent(name, { occurred: "2096-01-01T00:00:00Z" })]);
    await until("the event", async () => eventsOf(peer).length === 1);
    expect(eventsOf(peer)[0]?.occurred).toBe("2096-01-01T00:00:00.000000Z");
  });

  it("sees an event once, however often it is published", async ({ expect }) => {
    const name = freshName("twice");
    const peer = await subscribe(OUT, named(name));
    const event = anEvent(name);
    await Promise.all([hub().publish([event, event]), hub().publish([event])]);
    await evictDurableObject(hub(), { webSockets: "hibernate" });
    await hub().publish([event, anEvent(name)]);
    await until("the second event", async () => eventsOf(peer).length === 2);
    expect(eventsOf(peer)[0]?.id).toBe(event.id);
  });

  it("keeps its filter, a small one and a large one, when the hub sleeps", async ({ expect }) => {
    const name = freshName("asleep");
    const large = {
      ...named(name),
      resource: { id: ["test.thing", ...Array.from({ length: 300 }, () => "x".repeat(40))] },
    };
    const peers = [await subscribe(OUT, named(name)), await subscribe(OUT, large)];
    await hub().publish([anEvent(name)]);
    await until("the first event", async () => peers.every((peer) => eventsOf(peer).length === 1));
    await evictDurableObject(hub(), { webSockets: "hibernate" });
    await hub().publish([anEvent(name), anEvent("another")]);
    await until("the second event", async () => peers.every((peer) => eventsOf(peer).length === 2));
    const filters = () =>
      runInDurableObject(hub(), (_, { storage }) => storage.sql.exec("SELECT * FROM filters").toArray().length);
    expect(await filters()).toBe(1);
    peers[1]?.socket.close(1000);
    await until("its filter to go", async () => (await filters()) === 0);
  });
});

describe("what the hub keeps", () => {
  it("goes after 15 minutes and some, by an alarm, also when the alarm comes twice", async ({ expect }) => {
    const name = freshName("old");
    await hub().publish([anEvent(name)]);
    move(MINUTE_MS);
    await hub().publish([anEvent(name)]);
    move(21 * MINUTE_MS);
    await hub().publish([anEvent(name)]);
    expect(await runDurableObjectAlarm(hub())).toBe(true);
    await runDurableObjectAlarm(hub());
    const chunks = await runInDurableObject(hub(), (_, { storage }) =>
      storage.sql.exec<{ seq: number }>("SELECT seq FROM chunks").toArray(),
    );
    expect(chunks).toHaveLength(1);
    const peer = await subscribe(OUT, named(name));
    await hub().publish([anEvent(name)]);
    await until("the live event", async () => eventsOf(peer).length >= 2);
    expect(eventsOf(peer)).toHaveLength(2);
  });

  it("is bounded in bytes, and forgets the ids of what it drops", async ({ expect }) => {
    await runInDurableObject(env.EVENT_HUBS.getByName(freshName("hub")), (_, { storage }) => {
      const store = new EventStore(storage);
      const events = Array.from({ length: 30 }, (_, index) => ({
        ...anEvent(`e-${index}`, { payload: { text: "x".repeat(40_000) } }),
        received: "2026-11-21T05:00:00.000000Z" as never,
      }));
      for (const event of events) store.append([event], Date.now() as never);
      const [first, last] = [events[0]?.id ?? "", events.at(-1)?.id ?? ""];
      expect(store.trim(0 as never, 200_000, 5)).toBe(true);
      expect(store.trim(0 as never, 200_000, 100)).toBe(false);
      expect(store.bytes).toBeLessThanOrEqual(200_000);
      expect([store.knows(first), store.knows(last)]).toEqual([false, true]);
      expect(store.from(1).at(0)?.seq).toBe(store.firstSeq);
      // A second life of the object knows the same.
      const again = new EventStore(storage);
      expect([again.bytes, again.firstSeq, again.nextSeq]).toEqual([store.bytes, store.firstSeq, store.nextSeq]);
      expect([again.knows(first), again.knows(last)]).toEqual([false, true]);
    });
  });

  it("is one written row for events that come together, and one for a few more", async ({ expect }) => {
    await runInDurableObject(env.EVENT_HUBS.getByName(freshName("hub")), (_, { storage }) => {
      const store = new EventStore(storage);
      const received = (name: string) => ({ ...anEvent(name), received: "2026-11-21T05:00:00.000000Z" as never });
      store.append([received("a"), received("b")], 0 as never);
      store.append([received("c")], 1_000 as never);
      expect(storage.sql.exec("SELECT * FROM chunks").toArray()).toHaveLength(1);
      store.append([received("d")], 60_000 as never);
      expect(storage.sql.exec("SELECT * FROM chunks").toArray()).toHaveLength(2);
      expect(store.from(1).map(({ event }) => event.event)).toEqual(["a", "b", "c"]);
      expect(store.from(3).map(({ seq, event }) => [seq, event.event])).toEqual([[3, "c"]]);
      expect(store.from(4).map(({ seq }) => seq)).toEqual([4]);
      expect(store.from(5)).toEqual([]);
    });
  });
});

describe("POST /events", () => {
  it("takes events with 204, and subscribers see them", async ({ expect }) => {
    const name = freshName("posted");
    const peer = await subscribe(OUT, named(name));
    const events = [anEvent(name), anEvent(name)];
    expect((await call("POST", "/events", events)).status).toBe(204);
    expect((await call("POST", "/events/", [events[0]])).status).toBe(204);
    await until("both", async () => eventsOf(peer).length === 2);
    expect(eventsOf(peer).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
  });

  it.for<[string, object, string]>([
    ["a resource without an id", { resource: { name: "x" } }, '["body",0,"resource"]'],
    ["a related resource without a role", { related: [{ "prefect.resource.id": "x" }] }, '["body",0,"related",0]'],
    ["no id", { id: undefined }, '["body",0,"id"]'],
    ["a name of 1025 characters", { event: "x".repeat(1_025) }, '["body",0,"event"]'],
    ["501 labels", { resource: labels(501) }, '["body",0,"resource"]'],
    [
      "101 related resources",
      { related: Array.from({ length: 101 }, () => ({ ...labels(1), "prefect.resource.role": "r" })) },
      '["body",0,"related"]',
    ],
    ["more than 1.5 MB", { payload: { text: "é".repeat(750_000) } }, '["body",0]'],
  ])("refuses an event with %s, and says where", async ([, wrong, place], { expect }) => {
    const answer = await call<{ exception_detail: { loc: unknown[] }[] }>("POST", "/events", [
      { ...anEvent("x"), ...wrong },
    ]);
    expect(answer.status).toBe(422);
    expect(JSON.stringify(answer.body.exception_detail[0]?.loc)).toBe(place);
  });

  it("takes an event that is as large as one may be", async ({ expect }) => {
    const event = anEvent(freshName("large"), { resource: labels(500) });
    const rest = LIMITS.eventBytes - JSON.stringify({ ...event, payload: { text: "" } }).length;
    const largest = { ...event, payload: { text: "x".repeat(rest) } };
    expect((await call("POST", "/events", [largest])).status).toBe(204);
    expect((await call("POST", "/events", [{ ...largest, payload: { text: "x".repeat(rest + 1) } }])).status).toBe(422);
    const peer = await subscribe(OUT, named(event.event));
    await until("it", async () => eventsOf(peer).length === 1);
  });
});

/** A resource with so many labels, its id among them. */
function labels(count: number): Record<string, string> {
  const more = Array.from({ length: count - 1 }, (_, index) => [`label-${index}`, "x"]);
  return Object.fromEntries([["prefect.resource.id", "test.thing"], ...more]);
}
