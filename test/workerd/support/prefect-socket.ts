/** One end of the sockets that Prefect's event clients open. */
import { exports } from "cloudflare:workers";
import { until } from "./runs.ts";

export interface PrefectSocket {
  readonly socket: WebSocket;
  /** Every frame that came, the answer to `auth` included. */
  readonly frames: Record<string, unknown>[];
  readonly closed: { code?: number; reason?: string };
  /** The subprotocol that was echoed. */
  readonly protocol: string | null;
  send(frame: unknown): void;
}

const SUBPROTOCOL = { "sec-websocket-protocol": "prefect" };

/** Opens a socket and says nothing. */
export async function connect(path: string, headers: Record<string, string> = SUBPROTOCOL): Promise<PrefectSocket> {
  const response = await exports.default.fetch(`http://localhost:4200/api${path}`, {
    headers: { upgrade: "websocket", ...headers },
  });
  const socket = response.webSocket;
  if (!socket) throw new Error(`No WebSocket: ${response.status}`);
  const frames: Record<string, unknown>[] = [];
  const closed: { code?: number; reason?: string } = {};
  socket.addEventListener("message", ({ data }) => {
    frames.push(JSON.parse(String(data)));
  });
  socket.addEventListener("close", ({ code, reason }) => {
    Object.assign(closed, { code, reason });
  });
  socket.accept();
  return {
    socket,
    frames,
    closed,
    protocol: response.headers.get("sec-websocket-protocol"),
    send: (frame) => socket.send(JSON.stringify(frame)),
  };
}

/** Opens a socket and passes the handshake. */
export async function connectAsPrefect(path: string): Promise<PrefectSocket> {
  const peer = await connect(path);
  peer.send({ type: "auth", token: null });
  await until("auth_success", async () => peer.frames[0]?.["type"] === "auth_success");
  return peer;
}

/** Opens a socket and asks for what a filter matches; a hub answers nothing to that. */
export async function subscribe(path: string, filter: object, more: object = {}): Promise<PrefectSocket> {
  const peer = await connectAsPrefect(path);
  peer.send({ type: "filter", filter, ...more });
  return peer;
}

export async function closeOf(peer: PrefectSocket): Promise<PrefectSocket["closed"]> {
  await until("the close", async () => peer.closed.code !== undefined);
  return peer.closed;
}

export interface SeenEvent {
  readonly id: string;
  readonly event: string;
  readonly occurred: string;
  readonly received: string;
  readonly resource: Record<string, string>;
  readonly related: Record<string, string>[];
  readonly payload: Record<string, unknown>;
  readonly follows: string | null;
}

/** The events that a subscriber was sent, in their order. */
export function eventsOf(peer: PrefectSocket): SeenEvent[] {
  return peer.frames.filter((frame) => frame["type"] === "event").map((frame) => frame["event"] as SeenEvent);
}
