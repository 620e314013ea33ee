/**
 * Where events meet their live subscribers (`/api/events/out`): keeps the events of the last 15 minutes, and sends what
 * arrives to the sockets whose filter it matches. Who publishes does not wait for subscribers, only for the store.
 *
 * One object serves a whole installation (docs/decisions/0007 says why, and what to do when it becomes too little).
 */
import { DurableObject } from "cloudflare:workers";
import { eventsOut } from "#protocol/channels";
import { EventFilter } from "#protocol/event-filter";
import { type Event, FilterFrame, type ReceivedEvent } from "#protocol/events";
import { LIMITS, SPANS } from "#protocol/limits";
import { type EpochMs, toWireTime } from "#protocol/time";
import { utf8Length } from "#protocol/utf8";
import { clock } from "./clock.ts";
import { EventSubscriber, type SubscriberAttachment } from "./event-subscriber.ts";
import {
  acceptSocket,
  attach,
  authenticate,
  closeSocket,
  isTrusted,
  keyCheckOf,
  PROTOCOL_ERROR,
  parseJson,
} from "./socket-handshake.ts";
import { EventStore, HUB_SCHEMA, type StoredEvent } from "./storage/event-store.ts";
import { migrate } from "./storage/migrate.ts";

export const EVENT_HUB = "hub-0";
/** Chunks that are deleted in one turn. */
const TRIM_CHUNKS = 200;
/** Events may be kept this much longer, so that one alarm deletes many. */
const TRIM_SLACK_MS = 5 * 60_000;
/** Larger filters stand in the database: an attachment is bounded. */
const ATTACHED_FILTER_BYTES = 1_500;

interface Arrival {
  readonly events: readonly Event[];
  resolve(): void;
  reject(error: unknown): void;
}

export class EventHubObject extends DurableObject<Env> {
  readonly #store: EventStore;
  readonly #subscribers = new Map<WebSocket, EventSubscriber>();
  /** What arrived in this turn of the event loop: it is stored together. */
  #arriving: Arrival[] = [];
  #isArmed = false;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    migrate(ctx.storage, HUB_SCHEMA);
    this.#store = new EventStore(ctx.storage);
    for (const socket of ctx.getWebSockets()) this.#adopt(socket);
  }

  /** Stores events that are not known by their id, and sends them on. Answers when they are stored. */
  publish(events: readonly Event[]): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#arriving.length === 0) setTimeout(() => this.#drain(), 0);
      this.#arriving.push({ events, resolve, reject });
    });
  }

  override async fetch(request: Request): Promise<Response> {
    return acceptSocket(this.ctx, request, keyCheckOf(this.env, eventsOut));
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const frame = parseJson(message);
    if (!isTrusted(socket)) return authenticate(socket, frame, keyCheckOf(this.env, eventsOut));
    // A subscriber has nothing more to say.
    if (!this.#subscribers.has(socket)) this.#subscribe(socket, frame);
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    this.#forget(socket);
    socket.close();
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    this.#forget(socket);
  }

  override async alarm(): Promise<void> {
    this.#isArmed = false;
    if (this.#trim(clock.now())) await this.ctx.storage.setAlarm(clock.now());
    else await this.#arm();
  }

  #drain(): void {
    const arrived = this.#arriving;
    this.#arriving = [];
    const now = clock.now();
    let stored: StoredEvent[];
    try {
      stored = this.#record(
        arrived.flatMap(({ events }) => events),
        now,
      );
    } catch (error) {
      for (const { reject } of arrived) reject(error);
      return;
    }
    for (const { resolve } of arrived) resolve();
    for (const subscriber of this.#subscribers.values()) subscriber.take(stored);
    if (this.#store.bytes > LIMITS.eventBacklogBytes) this.#trim(now);
    void this.#arm();
  }

  /** Stores what is not known yet. */
  #record(events: readonly Event[], now: EpochMs): StoredEvent[] {
    const received = toWireTime(now);
    const fresh = new Map<string, ReceivedEvent>();
    for (const event of events) {
      if (!this.#store.knows(event.id) && !fresh.has(event.id)) fresh.set(event.id, { ...event, received });
    }
    return this.#store.append([...fresh.values()], now);
  }

  #subscribe(socket: WebSocket, json: unknown): void {
    const frame = FilterFrame.safeParse(json);
    if (!frame.success) {
      closeSocket(socket, PROTOCOL_ERROR, "Expected 'filter' message");
      return;
    }
    const parsed = EventFilter.safeParse(frame.data.filter);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      closeSocket(socket, PROTOCOL_ERROR, `Invalid filter: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`);
      return;
    }
    const earliest = toWireTime((clock.now() - SPANS.eventBacklogMs) as EpochMs);
    const { occurred } = parsed.data;
    const since = occurred?.since != null && occurred.since > earliest ? occurred.since : earliest;
    const filter: EventFilter = { ...parsed.data, occurred: { ...occurred, since } };
    const subscriber = crypto.randomUUID();
    const doc = JSON.stringify(filter);
    const bytes = utf8Length(doc);
    if (bytes > LIMITS.subscriberFilterBytes) {
      const limit = LIMITS.subscriberFilterBytes;
      closeSocket(socket, PROTOCOL_ERROR, `Invalid filter: it has ${bytes} bytes; ${limit} are allowed.`);
      return;
    }
    const isSmall = bytes <= ATTACHED_FILTER_BYTES;
    if (!isSmall) this.#store.putFilter(subscriber, doc);
    const cursor = frame.data.backfill ? this.#store.firstSeq : null;
    attach(socket, { subscriber, filter: isSmall ? filter : null, cursor } satisfies SubscriberAttachment);
    this.#subscribers.set(socket, new EventSubscriber(socket, this.#store, filter, cursor));
  }

  /** Takes over a socket that outlived this object's memory. */
  #adopt(socket: WebSocket): void {
    const { subscriber, filter, cursor } = (socket.deserializeAttachment() ?? {}) as Partial<SubscriberAttachment>;
    if (subscriber === undefined) return;
    const large = filter ? null : this.#store.filter(subscriber);
    const known = filter ?? (large === null ? null : (JSON.parse(large) as EventFilter));
    if (known) this.#subscribers.set(socket, new EventSubscriber(socket, this.#store, known, cursor ?? null));
  }

  #forget(socket: WebSocket): void {
    if (!this.#subscribers.delete(socket)) return;
    const { filter } = socket.deserializeAttachment() as SubscriberAttachment;
    if (filter !== null) return;
    const left = [...this.#subscribers.keys()].map(
      (other) => (other.deserializeAttachment() as SubscriberAttachment).subscriber,
    );
    this.#store.keepFilters(left);
  }

  /** Deletes a bounded number of events that are too old or too many; answers whether there are more. */
  #trim(now: EpochMs): boolean {
    return this.#store.trim((now - SPANS.eventBacklogMs) as EpochMs, LIMITS.eventBacklogBytes, TRIM_CHUNKS);
  }

  /** An alarm stands for a moment in which a batch of events has been kept long enough. */
  async #arm(): Promise<void> {
    const oldestAt = this.#store.oldestAt;
    if (oldestAt === null || this.#isArmed) return;
    this.#isArmed = true;
    if ((await this.ctx.storage.getAlarm()) !== null) return;
    await this.ctx.storage.setAlarm(oldestAt + SPANS.eventBacklogMs + TRIM_SLACK_MS);
  }
}
