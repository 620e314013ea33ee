/**
 * The way out of the embedded server. Its engine connects to public addresses only, so the launcher, which may connect to
 * whatever this machine reaches, makes the requests: it holds a WebSocket to this object and answers what it is asked.
 * On Cloudflare nobody uses it.
 */
import { DurableObject } from "cloudflare:workers";
import { z } from "zod";

/** The name of the only object of its kind. */
export const LAUNCHER = "launcher";

export interface EgressRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** For the head of the answer and the first line of its body, in milliseconds. */
  readonly timeoutMs: number;
}

const Answer = z.union([
  z.object({
    id: z.string(),
    status: z.int().min(200).max(599),
    headers: z.record(z.string(), z.string()),
    /** The first line. */
    body: z.string(),
  }),
  z.object({ id: z.string(), error: z.string() }),
]);
export type EgressAnswer =
  | { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }
  | { readonly error: string };

/** What the launcher gets beyond the request's own time before it counts as gone. */
const LAUNCHER_MS = 2_000;

export class EgressObject extends DurableObject<Env> {
  readonly #waiting = new Map<string, PromiseWithResolvers<EgressAnswer>>();

  /** The launcher connects. The one before it is gone, or is about to notice. */
  override async fetch(): Promise<Response> {
    for (const socket of this.ctx.getWebSockets()) socket.close(1000, "replaced");
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Makes a request. Answers an error when there is no launcher, or when the target could not be reached. */
  async send(request: EgressRequest): Promise<EgressAnswer> {
    const socket = this.ctx.getWebSockets().find(({ readyState }) => readyState === WebSocket.OPEN);
    if (!socket) return { error: "the server's launcher, which makes such requests, is not connected" };
    const id = crypto.randomUUID();
    const answer = Promise.withResolvers<EgressAnswer>();
    this.#waiting.set(id, answer);
    const timer = setTimeout(
      () => answer.resolve({ error: "the server's launcher did not answer" }),
      request.timeoutMs + LAUNCHER_MS,
    );
    try {
      socket.send(JSON.stringify({ id, ...request }));
      return await answer.promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  override async webSocketMessage(_socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const { id, ...answer } = Answer.parse(JSON.parse(String(message)));
    this.#waiting.get(id)?.resolve(answer);
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    socket.close();
  }
}
