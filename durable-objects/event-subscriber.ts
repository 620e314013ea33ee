/**
 * One subscriber of events: a cursor over the numbered events of a hub. A subscriber without a cursor has caught up and
 * is sent what arrives as it arrives; one with a cursor (its backfill goes on, or it takes events too slowly) is sent
 * what is stored, page by page, until it has caught up. Either way it sees each number once and in order.
 */
import type { EventFilter } from "#protocol/event-filter";
import { eventMatcher } from "#protocol/event-matcher";
import type { Event } from "#protocol/events";
import { LIMITS, SPANS } from "#protocol/limits";
import { attach, closeSocket } from "./socket-handshake.ts";
import type { EventStore, StoredEvent } from "./storage/event-store.ts";

const TRY_AGAIN_LATER = 1013;
/** Events that are looked at in one turn while a subscriber catches up. */
const PAGE_EVENTS = 250;
const STUCK_POLL_MS = 100;

/** What a subscriber's socket keeps in its attachment, besides the handshake's part. */
export interface SubscriberAttachment {
  /** Names the socket's row where its filter is too large for the attachment. */
  readonly subscriber: string;
  readonly filter: EventFilter | null;
  readonly cursor: number | null;
}

/** What a subscriber needs of its socket. */
export type SubscriberSocket = Pick<
  WebSocket,
  "bufferedAmount" | "readyState" | "send" | "close" | "serializeAttachment" | "deserializeAttachment"
>;

export class EventSubscriber {
  readonly socket: SubscriberSocket;
  readonly #store: EventStore;
  readonly #matches: (event: Event) => boolean;
  #cursor: number | null;
  #isCatchingUp = false;

  constructor(socket: SubscriberSocket, store: EventStore, filter: EventFilter, cursor: number | null) {
    this.socket = socket;
    this.#store = store;
    this.#matches = eventMatcher(filter);
    this.#cursor = cursor;
    if (cursor !== null) void this.#catchUp();
  }

  /** Takes events that were just stored. */
  take(events: readonly StoredEvent[]): void {
    const first = events[0];
    // One that is catching up will find them in the store.
    if (this.#cursor !== null || !first) return;
    if (this.socket.bufferedAmount <= LIMITS.subscriberBytes) this.#send(events);
    else {
      this.#moveTo(first.seq);
      void this.#catchUp();
    }
  }

  async #catchUp(): Promise<void> {
    if (this.#isCatchingUp) return;
    this.#isCatchingUp = true;
    let stuckMs = 0;
    while (this.#cursor !== null && this.socket.readyState === WebSocket.OPEN) {
      if (this.socket.bufferedAmount > LIMITS.subscriberBytes) {
        if (stuckMs >= SPANS.subscriberStuckMs) {
          closeSocket(this.socket, TRY_AGAIN_LATER, `Nothing was taken for ${stuckMs / 1_000} s; connect again.`);
          break;
        }
        stuckMs += STUCK_POLL_MS;
        await scheduler.wait(STUCK_POLL_MS);
        continue;
      }
      stuckMs = 0;
      this.#page(this.#cursor);
      if (this.#cursor !== null) await scheduler.wait(0);
    }
    this.#isCatchingUp = false;
  }

  /** Sends one page. Synchronous: nothing is stored between the reading and the moving of the cursor. */
  #page(cursor: number): void {
    if (cursor < this.#store.firstSeq) {
      console.warn(`A subscriber was too slow: ${this.#store.firstSeq - cursor} events were gone before it took them.`);
    }
    const page = this.#store.from(cursor).slice(0, PAGE_EVENTS);
    this.#send(page);
    const next = (page.at(-1)?.seq ?? this.#store.nextSeq - 1) + 1;
    this.#moveTo(next >= this.#store.nextSeq ? null : next);
  }

  #moveTo(cursor: number | null): void {
    this.#cursor = cursor;
    attach(this.socket, { cursor } satisfies Partial<SubscriberAttachment>);
  }

  #send(events: readonly StoredEvent[]): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    for (const { event, text } of events) {
      if (this.#matches(event)) this.socket.send(`{"type":"event","event":${text}}`);
    }
  }
}
