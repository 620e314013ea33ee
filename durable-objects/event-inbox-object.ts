/**
 * Receives events (`/api/events/in`, and `POST /api/events` through `receive`) and hands them on: all to the hub of
 * subscribers, and those that tell of task runs or of a run's life to the owners of the runs.
 *
 * Clients get no acknowledgement: they send a ping now and then, and drop what they sent before the pong. An event is
 * therefore stored before anything is awaited, and a pong then means that it is stored (docs/decisions/0005). Owners and
 * hub take an event twice without harm, so an event that a client sends again needs no memory of the first.
 */
import { DurableObject } from "cloudflare:workers";
import { eventsIn } from "#protocol/channels";
import { Event } from "#protocol/events";
import type { FlowRunId } from "#protocol/ids";
import { LIMITS } from "#protocol/limits";
import type { EpochMs } from "#protocol/time";
import { utf8Length } from "#protocol/utf8";
import { EVENT_HUB } from "./event-hub-object.ts";
import { handOnTaskRuns } from "./hand-on-task-runs.ts";
import { heartbeatOf } from "./heartbeat-event.ts";
import { ownerOf } from "./partition.ts";
import { acceptSocket, authenticate, isTrusted, keyCheckOf, parseJson } from "./socket-handshake.ts";
import { INBOX_SCHEMA, InboxStore } from "./storage/inbox-store.ts";
import { isUntouched, migrate } from "./storage/migrate.ts";
import { taskRunNews } from "./task-run-event.ts";

/** Rows that are handed on together. */
const HAND_ON_ROWS = 200;
const RETRY_MS = [100, 500, 2_000, 10_000] as const;
/** While something is not handed on, an alarm stands within this span, in case the object goes away. */
const SAFETY_ALARM_MS = 10_000;

export class EventInboxObject extends DurableObject<Env> {
  #store: InboxStore | null = null;
  #isHandingOn = false;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    if (!isUntouched(ctx.storage)) {
      this.#open();
      this.#handOnSoon();
    }
  }

  /** Takes events that came over REST. Answers when they are stored. */
  async receive(events: readonly Event[]): Promise<void> {
    this.#take(events);
  }

  override async fetch(request: Request): Promise<Response> {
    return acceptSocket(this.ctx, request, keyCheckOf(this.env, eventsIn));
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const json = parseJson(message);
    if (!isTrusted(socket)) return authenticate(socket, json, keyCheckOf(this.env, eventsIn));
    const bytes = typeof message === "string" ? utf8Length(message) : message.byteLength;
    if (bytes > LIMITS.eventBytes) {
      console.warn(`An event of ${bytes} bytes was dropped: ${LIMITS.eventBytes} are allowed.`);
      return;
    }
    const event = Event.safeParse(json);
    if (event.success) this.#take([event.data]);
    // One event that cannot be read must not cost the socket, and with it the others.
    else console.warn("An event that is not in the form of an event was dropped.", event.error.issues[0]);
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    socket.close();
  }

  override async alarm(): Promise<void> {
    this.#handOnSoon();
  }

  /** Stores before anything is awaited. */
  #take(events: readonly Event[]): void {
    (this.#store ?? this.#open()).insert(events);
    this.#handOnSoon();
  }

  #open(): InboxStore {
    migrate(this.ctx.storage, INBOX_SCHEMA);
    this.#store = new InboxStore(this.ctx.storage);
    return this.#store;
  }

  #handOnSoon(): void {
    if (this.#isHandingOn) return;
    this.#isHandingOn = true;
    setTimeout(() => void this.#handOn(), 0);
  }

  /** Hands on until nothing is left; a fault is tried again with backoff, and by the alarm if this object goes away. */
  async #handOn(): Promise<void> {
    const store = this.#store;
    let failures = 0;
    if (store && (await this.ctx.storage.getAlarm()) === null) {
      void this.ctx.storage.setAlarm(Date.now() + SAFETY_ALARM_MS);
    }
    while (store) {
      const rows = store.oldest(HAND_ON_ROWS);
      if (rows.length === 0) break;
      const events = rows.flatMap((row) => row.events);
      const news = events.map(taskRunNews).filter((one) => one !== null);
      try {
        await Promise.all([
          this.env.EVENT_HUBS.getByName(EVENT_HUB).publish(events),
          handOnTaskRuns(this.env, news),
          ...this.#tellOfBeats(events),
        ]);
        store.remove(rows.map((row) => row.seq));
        failures = 0;
      } catch (error) {
        console.warn(`Handing on events failed ${failures + 1} times; it is tried again.`, error);
        await scheduler.wait(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 0);
        failures += 1;
      }
    }
    this.#isHandingOn = false;
  }

  #tellOfBeats(events: readonly Event[]): Promise<void>[] {
    const beats = new Map<FlowRunId, EpochMs>();
    for (const event of events) {
      const beat = heartbeatOf(event);
      if (beat) beats.set(beat.flowRunId, beat.at);
    }
    return [...beats].map(async ([id, at]) => {
      await ownerOf(this.env.FLOW_RUNS, id)?.heartbeat(id, at);
    });
  }
}
