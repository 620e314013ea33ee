/**
 * How the sockets of Prefect's event clients are opened: the subprotocol is echoed, the first frame is `auth` with the
 * key, the answer is `auth_success` even where nobody needs a key. Whether a socket has passed is kept in its
 * attachment, under a key of its own, so it outlives hibernation.
 */
import { mayDo } from "#protocol/access";
import type { Channel } from "#protocol/channels";
import { AuthFrame, EVENTS_SUBPROTOCOL } from "#protocol/events";
import { isOpen, roleOf } from "./caller.ts";

const POLICY_VIOLATION = 1008;
export const PROTOCOL_ERROR = 1002;
/** A close frame holds 125 bytes, two of which are the code. */
const REASON_BYTES = 123;

/** Why a token does not open a channel, or null when it does. A check of null stands for "every token does". */
export type KeyCheck = ((token: string | null) => Promise<string | null>) | null;

/** What a socket's attachment holds besides what its object keeps there. */
interface Handshaken {
  readonly isTrusted: boolean;
}

/** The check of keys for a channel: the key's role must be one that may open it. */
export function keyCheckOf(env: Env, channel: Channel): KeyCheck {
  if (isOpen(env)) return null;
  return async (token) => {
    const role = await roleOf(env, token ?? "");
    if (mayDo(role, channel.role)) return null;
    if (role !== null) return `the key's role is ${role}`;
    // Prefect's clients send PREFECT_API_KEY with requests, but never here.
    return token
      ? "the token is not a key of this server"
      : "no token was sent; set PREFECT_API_AUTH_STRING to the key";
  };
}

/**
 * Answers an upgrade with a hibernatable socket. Old clients ask for no subprotocol and never authenticate: they are
 * trusted at once where nobody needs a key, and closed with 1002 where a key is needed.
 */
export function acceptSocket(
  ctx: DurableObjectState,
  request: Request,
  check: KeyCheck,
  tags: readonly string[] = [],
): Response {
  const { 0: client, 1: server } = new WebSocketPair();
  const asked = (request.headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
  const speaks = asked.includes(EVENTS_SUBPROTOCOL);
  ctx.acceptWebSocket(server, [...tags]);
  attach(server, { isTrusted: !speaks && check === null } satisfies Handshaken);
  if (!speaks && check !== null) {
    closeSocket(server, PROTOCOL_ERROR, `Ask for the subprotocol "${EVENTS_SUBPROTOCOL}".`);
  }
  const headers: HeadersInit = speaks ? { "sec-websocket-protocol": EVENTS_SUBPROTOCOL } : {};
  return new Response(null, { status: 101, webSocket: client, headers });
}

/** Whether the handshake is over. Until then every frame goes to {@link authenticate}. */
export function isTrusted(socket: WebSocket): boolean {
  return (socket.deserializeAttachment() as Handshaken | null)?.isTrusted === true;
}

/** Takes the first frame, as JSON: answers `auth_success`, or closes with 1008 and the reason. */
export async function authenticate(socket: WebSocket, frame: unknown, check: KeyCheck): Promise<void> {
  const auth = AuthFrame.safeParse(frame);
  if (!auth.success) {
    closeSocket(socket, POLICY_VIOLATION, "Expected 'auth' message");
    return;
  }
  const refusal = check === null ? null : await check(auth.data.token ?? null);
  if (refusal !== null) {
    closeSocket(socket, POLICY_VIOLATION, `Auth required: ${refusal}`);
    return;
  }
  attach(socket, { isTrusted: true } satisfies Handshaken);
  socket.send(JSON.stringify({ type: "auth_success" }));
}

/** Adds to what the socket's attachment holds. */
export function attach(socket: Pick<WebSocket, "serializeAttachment" | "deserializeAttachment">, more: object): void {
  socket.serializeAttachment({ ...(socket.deserializeAttachment() as object | null), ...more });
}

/** Closes with a reason of any length: it is cut to what a close frame holds. */
export function closeSocket(socket: Pick<WebSocket, "close">, code: number, reason: string): void {
  let cut = reason;
  while (new TextEncoder().encode(cut).length > REASON_BYTES) cut = cut.slice(0, -1);
  socket.close(code, cut);
}

/** A frame as JSON; null where it is none, which is answered like any other frame that was not expected. */
export function parseJson(message: string | ArrayBuffer): unknown {
  try {
    return JSON.parse(typeof message === "string" ? message : new TextDecoder().decode(message));
  } catch {
    return null;
  }
}
