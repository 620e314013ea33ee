/**
 * Requests to the API of a cluster. Who it is, and how one proves who one is, is the package's business: kubeconfig,
 * service account, certificates, plugins of cloud providers, proxies.
 *
 * The requests themselves are made here, because the clients that the package generates leave out fields which they do
 * not know without a word, and its log stream leaves errors unhandled, which would end the worker.
 */
import { once } from "node:events";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import { pause } from "../../client/jitter.ts";
import { type Json, object } from "../template/fields.ts";

/** The cluster answered, and refused; or it did not answer, and `status` is null. */
export class ClusterError extends Error {
  override readonly name = "ClusterError";
  readonly status: number | null;

  constructor(message: string, status: number | null, cause?: unknown) {
    super(message, { cause });
    this.status = status;
  }

  /** Whether the same request may go through a little later. */
  get isPassing(): boolean {
    return this.status === null || this.status === 429 || this.status >= 500;
  }
}

export interface ClusterCall {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Json;
  /** Default: JSON. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

type Method = "GET" | "POST" | "PATCH" | "DELETE";

const ANSWER_WITHIN_MS = 30_000;
/** A connection that nobody answers on any more is found out by the system within about this time. */
const KEEP_ALIVE_MS = 30_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;

export class ClusterApi {
  readonly #kube: KubeConfig;
  readonly server: string;

  constructor(kube: KubeConfig, server: string) {
    this.#kube = kube;
    this.server = server.replace(/\/$/, "");
  }

  /** Throws {@link ClusterError}. */
  async call<T>(method: Method, path: string, call: ClusterCall = {}): Promise<T> {
    const within = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const signal = call.signal ? AbortSignal.any([call.signal, within]) : within;
    try {
      const response = await this.#send(method, path, { ...call, signal });
      return JSON.parse(await wholeOf(response)) as T;
    } catch (error) {
      throw this.#errorOf(error);
    }
  }

  /** Tries again what may go through later, for so many milliseconds. */
  async insist<T>(method: Method, path: string, forMs: number, call: ClusterCall = {}): Promise<T> {
    const giveUpAt = performance.now() + forMs;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.call<T>(method, path, call);
      } catch (error) {
        const pauseMs = pauseAfter(attempt);
        const isLast = performance.now() + pauseMs > giveUpAt || call.signal?.aborted;
        if (isLast || !(error instanceof ClusterError) || !error.isPassing) throw error;
        await pause(pauseMs, call.signal);
      }
    }
  }

  /** An answer that goes on for as long as there is something to tell. Throws {@link ClusterError}. */
  async stream(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<IncomingMessage> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error("nobody answered")), ANSWER_WITHIN_MS);
    try {
      const response = await this.#send("GET", path, { query, signal: AbortSignal.any([signal, late.signal]) });
      response.socket.setKeepAlive(true, KEEP_ALIVE_MS);
      return response;
    } catch (error) {
      throw this.#errorOf(error);
    } finally {
      clearTimeout(timer);
    }
  }

  async #send(method: Method, path: string, { query = {}, body, contentType, signal }: ClusterCall) {
    const url = new URL(`${this.server}${path}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const text = body === undefined ? null : JSON.stringify(body);
    const options: https.RequestOptions = { method, ...(signal ? { signal } : {}) };
    await this.#kube.applyToHTTPSOptions(options);
    options.headers = {
      ...(options.headers as http.OutgoingHttpHeaders | undefined),
      accept: "application/json",
      ...(text === null
        ? {}
        : { "content-type": contentType ?? "application/json", "content-length": Buffer.byteLength(text) }),
    };
    const request = (url.protocol === "http:" ? http : https).request(url, options);
    // Errors are told by `once` until there is an answer, and by the answer from then on.
    request.on("error", () => undefined);
    request.end(text ?? undefined);
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const { statusCode: status = 0 } = response;
    if (status >= 200 && status < 300) return response;
    throw new ClusterError(messageOf(await wholeOf(response).catch(() => ""), status), status);
  }

  #errorOf(error: unknown): ClusterError {
    if (error instanceof ClusterError) return error;
    const said = error instanceof Error ? error.message || (error as NodeJS.ErrnoException).code : String(error);
    return new ClusterError(`The Kubernetes API at ${this.server} did not answer: ${said}`, null, error);
  }
}

/** With jitter, since all runs of a worker lose their watches at the same moment. */
export function pauseAfter(failures: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures) * (0.5 + Math.random() / 2);
}

async function wholeOf(response: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString();
}

/** Refusals are a "Status" object; what stands before the API may answer with anything. */
function messageOf(text: string, status: number): string {
  try {
    const said = object(JSON.parse(text))?.["message"];
    if (typeof said === "string" && said !== "") return said;
  } catch {
    // Not JSON: told as it is.
  }
  return text.trim() === "" ? `status ${status}` : text.trim().slice(0, 500);
}
