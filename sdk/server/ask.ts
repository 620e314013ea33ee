/** Requests of the launcher to its own engine. By node:http, since `fetch` takes 30 ms to load. */
import { request } from "node:http";

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface Question {
  readonly method: "GET" | "POST";
  /** The address of the engine, with the path. */
  readonly url: string;
  readonly token?: string;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly timeoutMs: number;
}

/** Rejects when there is no answer in time, or no connection. */
export function ask({ method, url, token, json, timeoutMs }: Question): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(json === undefined ? {} : { "content-type": "application/json" }),
    };
    const asking = request(url, { method, headers, agent: false, signal: AbortSignal.timeout(timeoutMs) }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }));
    });
    asking.on("error", reject);
    asking.end(json === undefined ? undefined : JSON.stringify(json));
  });
}
