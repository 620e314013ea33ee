/**
 * Makes the requests of the embedded server that leave it: its engine connects to public addresses only, and the targets
 * of http work pools are often on this very machine. The engine asks over a WebSocket (durable-objects/egress-object.ts).
 */

interface Asked {
  readonly id: string;
  readonly url: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly timeoutMs: number;
}

const RECONNECT_MS = 250;
/** Characters of an answer that are read for its first line. */
const LINE_CHARS = 8_192;

/** Answers what the engine asks until it is told to stop; after a restart of the engine it connects again. */
export function serveEgress(origin: string, bootToken: string): { stop(): void } {
  type WithHeaders = new (url: string, options: { headers: Record<string, string> }) => WebSocket;
  const url = `${origin.replace(/^http/, "ws")}/api/internal/egress`;
  let socket: WebSocket | null = null;
  let timer: NodeJS.Timeout | null = null;
  let isOver = false;

  function connect(): void {
    const mine = new (WebSocket as unknown as WithHeaders)(url, { headers: { authorization: `Bearer ${bootToken}` } });
    socket = mine;
    mine.addEventListener("message", ({ data }) => void answer(mine, JSON.parse(String(data)) as Asked));
    // An error is followed by a close.
    mine.addEventListener("error", () => undefined);
    mine.addEventListener("close", () => {
      if (!isOver && socket === mine) timer = setTimeout(connect, RECONNECT_MS);
    });
  }

  connect();
  return {
    stop() {
      isOver = true;
      if (timer !== null) clearTimeout(timer);
      socket?.close();
    },
  };
}

async function answer(socket: WebSocket, asked: Asked): Promise<void> {
  const said = await makeRequest(asked).catch((error: unknown) => ({ error: reasonOf(error) }));
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ id: asked.id, ...said }));
}

async function makeRequest({ url, method, headers, body, timeoutMs }: Asked) {
  const signal = AbortSignal.timeout(timeoutMs);
  const response = await fetch(url, { method, headers, body, redirect: "manual", signal });
  const retryAfter = response.headers.get("retry-after");
  return {
    status: response.status,
    headers: retryAfter === null ? {} : { "retry-after": retryAfter },
    body: await firstLine(response),
  };
}

async function firstLine(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  // Leaving the loop lets go of the rest, which may take as long as the target works.
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("\n") || text.length >= LINE_CHARS) break;
  }
  return text.split("\n", 1)[0] ?? "";
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "it did not answer in time";
  return error.cause instanceof Error ? error.cause.message || error.message : error.message;
}
