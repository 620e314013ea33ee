/** A small keep-alive JSON client: `fetch` costs as much as what is measured, and there are two cores for both. */
import { Agent, type IncomingHttpHeaders, request } from "node:http";

export interface Answer<T> {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: T;
}

export interface JsonClient {
  call<T = unknown>(method: string, path: string, body?: unknown): Promise<Answer<T>>;
  close(): void;
}

export interface JsonClientOptions {
  /** At most so many connections, kept alive; further requests wait for one. Default 256. */
  readonly connections?: number;
  /** An answer that takes longer is an error. Default: no limit. */
  readonly timeoutMs?: number;
}

export function jsonClient(origin: string, { connections = 256, timeoutMs = 0 }: JsonClientOptions = {}): JsonClient {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const { hostname, port } = new URL(origin);
  return {
    call: (method, path, body) =>
      new Promise((resolve, reject) => {
        const payload = body === undefined ? undefined : JSON.stringify(body);
        const headers =
          payload === undefined
            ? {}
            : { "content-type": "application/json", "content-length": Buffer.byteLength(payload) };
        const sent = request({ agent, hostname, port, path, method, headers }, (response) => {
          const parts: Buffer[] = [];
          response.on("data", (part: Buffer) => parts.push(part));
          response.on("end", () => {
            const text = Buffer.concat(parts).toString();
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: parsed(text) });
          });
          response.on("error", reject);
        });
        sent.on("error", reject);
        if (timeoutMs > 0) {
          sent.setTimeout(timeoutMs, () => sent.destroy(new Error(`No answer to ${path} within ${timeoutMs} ms.`)));
        }
        sent.end(payload);
      }),
    close: () => agent.destroy(),
  };
}

/** What is not JSON (the words of a proxy or of a fault) stays the text that it is. */
function parsed<T>(text: string): T {
  if (text === "") return undefined as T;
  try {
    return JSON.parse(text);
  } catch {
    return text as T;
  }
}
