/**
 * Receives the events of Prefect's clients (`/api/events/in`) and hands them on to the owners of what they tell of.
 *
 * Clients get no acknowledgement: they send a ping now and then, and drop what they sent before the pong. An event is
 * therefore stored before anything is awaited, and a pong then means that it is stored (docs/decisions/0005). Owners take
 * a report twice without harm, so an event that a client sends again needs no memory of the first.
 */
import { DurableObject } from "cloudflare:workers";
import { mayDo } from "#protocol/access";
import { eventsIn } from "#protocol/channels";
import { AuthFrame, EVENTS_SUBPROTOCOL, Event } from "#protocol/events";
import { isOpen, roleOf } from "./caller.ts";
import { handOnTaskRuns } from "./hand-on-task-runs.ts";
import { INBOX_SCHEMA, InboxStore } from "./storage/inbox-store.ts";
import { isUntouched, migrate } from "./storage/migrate.ts";
import { taskRunNews } from "./task-run-event.ts";

const POLICY_VIOLATION = 1008;
const PROTOCOL_ERROR = 1002;
/** Events that are handed on together. */
const HAND_ON_ROWS = 200;
const RETRY_MS = [100, 500, 2_000, 10_000] as const;
/** While something is not handed on, an alarm stands within this span, in case the object goes away. */
const SAFETY_ALARM_MS = 10_000;

interface Peer {
  readonly isTrusted: boolean;
}

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

  override async fetch(request: Request): Promise<Response> {
    const { 0: client, 1: server } = new WebSocketPair();
    const asked = (request.headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
    const speaks = asked.includes(EVENTS_SUBPROTOCOL);
    this.ctx.acceptWebSocket(server);
    // Old clients ask for no subprotocol and never authenticate: they are let in where nobody has to.
    const admitsAll = isOpen(this.env);
    server.serializeAttachment({ isTrusted: !speaks && admitsAll } satisfies Peer);
    if (!speaks && !admitsAll) server.close(PROTOCOL_ERROR, `Ask for the subprotocol "${EVENTS_SUBPROTOCOL}".`);
    const headers: HeadersInit = speaks ? { "sec-websocket-protocol": EVENTS_SUBPROTOCOL } : {};
    return new Response(null, { status: 101, webSocket: client, headers });
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const json = parseJson(message);
    const { isTrusted } = socket.deserializeAttachment() as Peer;
    if (!isTrusted) {
      await this.#authenticate(socket, json);
      return;
    }
    const event = Event.safeParse(json);
    if (!event.success) {
      // One event that cannot be read must not cost the socket, and with it the others.
      console.warn("An event that is not in the form of an event was dropped.", event.error.issues[0]);
      return;
    }
    if (taskRunNews(event.data) === null) return;
    (this.#store ?? this.#open()).insert(event.data);
    this.#handOnSoon();
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    socket.close();
  }

  override async alarm(): Promise<void> {
    this.#handOnSoon();
  }

  async #authenticate(socket: WebSocket, frame: unknown): Promise<void> {
    const auth = AuthFrame.safeParse(frame);
    if (!auth.success) {
      socket.close(POLICY_VIOLATION, "Expected 'auth' message");
      return;
    }
    const { token } = auth.data;
    const role = await roleOf(this.env, token ?? "");
    if (!mayDo(role, eventsIn.role)) {
      socket.close(
        POLICY_VIOLATION,
        `Auth required: ${role === null ? refusalOf(token) : `the key's role is ${role}`}`,
      );
      return;
    }
    socket.serializeAttachment({ isTrusted: true } satisfies Peer);
    socket.send(JSON.stringify({ type: "auth_success" }));
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
      const news = rows.map(({ event }) => taskRunNews(event)).filter((one) => one !== null);
      try {
        await handOnTaskRuns(this.env, news);
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
}

/** Why a token was not taken. A reason for a close holds 123 bytes. */
function refusalOf(token: string | null | undefined): string {
  // Prefect's clients send PREFECT_API_KEY with requests, but never here.
  return token ? "the token is not a key of this server" : "no token was sent; set PREFECT_API_AUTH_STRING to the key";
}

function parseJson(message: string | ArrayBuffer): unknown {
  try {
    return JSON.parse(typeof message === "string" ? message : new TextDecoder().decode(message));
  } catch {
    // Not JSON is answered like any other frame that is not what was expected.
    return null;
  }
}
