/**
 * Whatever is published while subscribers come and the hub sleeps: who wants the backfill sees every event once, all in
 * the same order; who does not sees an unbroken end of it.
 *
 * Teeth: with live events sent to a subscriber whose backfill goes on it failed at `subscribe(with backfill), publish(7),
 * publish(8)`; with a page after which the cursor skips one number, at `subscribe(with backfill)`; with ids that are not
 * read again after a sleep, at `subscribe, publish(1), sleep, publish(1 and the first again)`.
 */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { it } from "vitest";
import { Event } from "#protocol/events";
import { EVENT_HUB } from "../../durable-objects/event-hub-object.ts";
import { budget } from "./support/budget.ts";
import { connectAsPrefect, eventsOf, type PrefectSocket } from "./support/prefect-socket.ts";
import { until } from "./support/runs.ts";

type Command =
  | { readonly kind: "publish"; readonly count: number; readonly isRepeated: boolean }
  | { readonly kind: "subscribe"; readonly backfill: boolean }
  | { readonly kind: "yield" }
  | { readonly kind: "sleep" };

const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("publish" as const),
      count: fc.integer({ min: 1, max: 12 }),
      isRepeated: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("subscribe" as const), backfill: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("yield" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("sleep" as const) }) },
);

/** A few of these fill a page, so a backfill takes several turns. */
const PAYLOAD = { text: "x".repeat(12_000) };
const hub = () => env.EVENT_HUBS.getByName(EVENT_HUB);

class World {
  readonly name = `model-${crypto.randomUUID()}`;
  readonly ids: string[] = [];
  readonly subscribers: { readonly peer: PrefectSocket; readonly backfill: boolean }[] = [];
  #publishing: Promise<void>[] = [];

  async run(command: Command): Promise<void> {
    if (command.kind === "publish") this.#publish(command.count, command.isRepeated);
    else if (command.kind === "yield") await scheduler.wait(1);
    else if (command.kind === "subscribe") {
      const peer = await connectAsPrefect("/events/out");
      peer.send({ type: "filter", filter: { event: { name: [this.name] } }, backfill: command.backfill });
      this.subscribers.push({ peer, backfill: command.backfill });
    } else {
      await this.settle();
      // One that does not run cannot be put to sleep.
      await hub().publish([]);
      await evictDurableObject(hub(), { webSockets: "hibernate" });
    }
  }

  async settle(): Promise<void> {
    await Promise.all(this.#publishing);
    this.#publishing = [];
  }

  #publish(count: number, isRepeated: boolean): void {
    const fresh = Array.from({ length: count }, () => crypto.randomUUID());
    this.ids.push(...fresh);
    const again = isRepeated ? this.ids.slice(0, 2) : [];
    const events = [...fresh, ...again].map((id) =>
      Event.parse({
        id,
        occurred: new Date().toISOString(),
        event: this.name,
        resource: { "prefect.resource.id": "test.thing" },
        payload: PAYLOAD,
      }),
    );
    this.#publishing.push(Promise.resolve(hub().publish(events)));
  }
}

it("shows each event once, in one order, without a gap", { timeout: 120_000 }, async ({ expect }) => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyCommand, { maxLength: 25, size: "max" }), async (commands) => {
      const world = new World();
      for (const command of commands) await world.run(command);
      await world.settle();
      // Everyone has caught up once this one has arrived everywhere.
      await world.run({ kind: "publish", count: 1, isRepeated: false });
      await world.settle();
      const last = world.ids.at(-1);
      const lists = world.subscribers.map(
        ({ peer }) =>
          () =>
            eventsOf(peer).map(({ id }) => id),
      );
      await until("the last event", async () => lists.every((list) => list().includes(last ?? "")));
      for (const [index, { backfill }] of world.subscribers.entries()) {
        const seen = lists[index]?.() ?? [];
        expect(seen).toEqual(backfill ? world.ids : world.ids.slice(-seen.length));
      }
      for (const { peer } of world.subscribers) peer.socket.close(1000);
    }),
    { numRuns: budget({ fast: 25, full: 300 }) },
  );
});
