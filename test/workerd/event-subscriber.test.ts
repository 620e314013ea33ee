import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import { Event, type ReceivedEvent } from "#protocol/events";
import { LIMITS } from "#protocol/limits";
import { type EpochMs, toWireTime } from "#protocol/time";
import { EventSubscriber, type SubscriberSocket } from "../../durable-objects/event-subscriber.ts";
import { EventStore } from "../../durable-objects/storage/event-store.ts";
import { freshName } from "./support/api.ts";
import { until } from "./support/runs.ts";

/** A socket whose other end takes nothing until it is told to. */
class SlowSocket implements SubscriberSocket {
  bufferedAmount = 0;
  readyState: number = WebSocket.OPEN;
  readonly sent: string[] = [];
  closed: { readonly code: number | undefined; readonly reason: string | undefined } | null = null;
  #attachment: unknown = {};

  send(message: string | ArrayBuffer | ArrayBufferView): void {
    this.sent.push((JSON.parse(String(message)) as { event: { event: string } }).event.event);
    this.bufferedAmount += String(message).length;
  }

  close(code?: number, reason?: string): void {
    this.readyState = WebSocket.CLOSED;
    this.closed = { code, reason };
  }

  serializeAttachment(value: unknown): void {
    this.#attachment = structuredClone(value);
  }

  deserializeAttachment(): { cursor?: number | null } {
    return this.#attachment as { cursor?: number | null };
  }
}

function anEvent(name: string, bytes: number): ReceivedEvent {
  const event = Event.parse({
    id: crypto.randomUUID(),
    occurred: new Date().toISOString(),
    event: name,
    resource: { "prefect.resource.id": "test.thing" },
    payload: { text: "x".repeat(bytes) },
  });
  return { ...event, received: toWireTime(Date.now() as EpochMs) };
}

/** Runs with the store of a hub of its own. */
function withStore(test: (store: EventStore) => Promise<void>): Promise<void> {
  return runInDurableObject(env.EVENT_HUBS.getByName(freshName("hub")), (_, { storage }) =>
    test(new EventStore(storage)),
  );
}

const QUARTER = LIMITS.subscriberBytes / 4;
const now = () => Date.now() as EpochMs;

describe("a subscriber that takes events slowly", () => {
  it("is sent no more than may be on its way, and then everything, in order and once", async ({ expect }) => {
    await withStore(async (store) => {
      const socket = new SlowSocket();
      const subscriber = new EventSubscriber(socket, store, {}, null);
      const names = Array.from({ length: 20 }, (_, index) => `e-${index}`);
      for (const name of names) subscriber.take(store.append([anEvent(name, QUARTER)], now()));
      expect(socket.sent).toEqual(names.slice(0, 4));
      // What it is to be sent next outlives the hub's memory.
      expect(socket.deserializeAttachment().cursor).toBe(5);
      await until("all of them", async () => {
        socket.bufferedAmount = 0;
        return socket.sent.length >= names.length;
      });
      subscriber.take(store.append([anEvent("live", 1)], now()));
      expect(socket.sent).toEqual([...names, "live"]);
      expect(socket.deserializeAttachment().cursor).toBeNull();
    });
  });

  it("goes on with the oldest that is left when what it was to be sent is gone", async ({ expect }) => {
    await withStore(async (store) => {
      const socket = new SlowSocket();
      for (const name of ["gone", "kept", "newest"]) store.append([anEvent(name, QUARTER)], now());
      store.trim(0 as EpochMs, 2.5 * QUARTER, 1);
      new EventSubscriber(socket, store, {}, 1);
      await until("the rest", async () => socket.sent.length === 2);
      expect(socket.sent).toEqual(["kept", "newest"]);
    });
  });

  it("continues after the hub slept where its cursor stands", async ({ expect }) => {
    await withStore(async (store) => {
      const socket = new SlowSocket();
      store.append(
        ["a", "b", "c", "d"].map((name) => anEvent(name, 10)),
        now(),
      );
      new EventSubscriber(socket, store, {}, 3);
      await until("the rest", async () => socket.sent.length === 2);
      expect(socket.sent).toEqual(["c", "d"]);
    });
  });
});
