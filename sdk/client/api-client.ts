/** Calls the operations that `sdk/protocol` declares: typed by them, retried where that is safe, errors made whole. */
import type { z } from "zod";
import type { Endpoint } from "../protocol/endpoint.ts";
import { SluiceError } from "../protocol/errors.ts";
import { ApiUnreachableError, errorOfAnswer, networkReason, refusedKey, wasNeverSent } from "./errors.ts";
import { fullJitterMs, pause } from "./jitter.ts";

/** Which control plane is called, and how. */
export interface ClientOptions {
  /** Address of the API, with or without `/api` at its end. */
  readonly url: string;
  /** API key, sent as a bearer token. */
  readonly key?: string | null;
  /** In place of the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** For how long a call is tried again, in milliseconds, from its first attempt. Default 10,000. */
  readonly patienceMs?: number;
}

/** How one call is made. Everything may be left out. */
export interface CallOptions {
  /** Gives the call up when it aborts; the call rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Overrides the client's. 0 tries once. */
  readonly patienceMs?: number;
  /**
   * Whether a repeat does no harm. Default: true for every method but POST. A POST that is not safe to repeat is
   * repeated only when the first attempt certainly did nothing (no connection, 429, 503).
   */
  readonly idempotent?: boolean;
}

type Part<Name extends string, S extends z.ZodType> =
  unknown extends z.input<S>
    ? { readonly [K in Name]?: undefined }
    : Record<never, never> extends z.input<S>
      ? { readonly [K in Name]?: z.input<S> }
      : { readonly [K in Name]: z.input<S> };

/** What a call of an operation takes: only the parts that its declaration has, as its schemas accept them. */
export type CallInput<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> = Part<"params", P> &
  Part<"query", Q> &
  Part<"body", B>;

type InputArguments<Input> =
  Record<never, never> extends Input ? [input?: Input, options?: CallOptions] : [input: Input, options?: CallOptions];

/** A client of one control plane. */
export interface ApiClient {
  /** Address of the API, ending in `/api`. */
  readonly url: string;
  readonly key: string | null;
  /**
   * Calls an operation and answers its parsed result.
   *
   * Throws `SluiceError` for what the API refuses, with its code, and {@link ApiUnreachableError} when nobody answers
   * within the patience of the client.
   */
  call<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
    endpoint: Endpoint<P, Q, B, R>,
    ...input: InputArguments<CallInput<P, Q, B>>
  ): Promise<z.output<R>>;
  /** The address of a WebSocket below the API. */
  socketUrl(path: `/${string}`): string;
}

interface LooseInput {
  readonly params?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
}

const RETRIED_STATUS: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);
/** Answers that say that nothing was done. */
const UNTOUCHED_STATUS: ReadonlySet<number> = new Set([429, 503]);
const BASE_MS = 100;
const MAX_MS = 5_000;

/** Makes a client. Nothing is sent before the first call. Throws TypeError for an address that is none. */
export function createClient(options: ClientOptions): ApiClient {
  const url = apiUrl(options.url);
  const key = options.key ?? null;
  const headers: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };

  async function attempt(endpoint: Endpoint, input: LooseInput, signal: AbortSignal | undefined): Promise<Response> {
    const send = options.fetch ?? fetch;
    const body = input.body === undefined ? null : JSON.stringify(input.body);
    return await send(address(url, endpoint.path, input), {
      method: endpoint.method,
      headers: body === null ? headers : { ...headers, "content-type": "application/json" },
      ...(body === null ? {} : { body }),
      ...(signal ? { signal } : {}),
    });
  }

  async function call(endpoint: Endpoint, input: LooseInput = {}, how: CallOptions = {}): Promise<unknown> {
    const giveUpAt = performance.now() + (how.patienceMs ?? options.patienceMs ?? 10_000);
    const safe = how.idempotent ?? endpoint.method !== "POST";
    const request = `${endpoint.method} ${endpoint.path}`;
    for (let tries = 0; ; tries++) {
      let delayMs = fullJitterMs(tries, BASE_MS, MAX_MS);
      let failure: Error;
      try {
        const response = await attempt(endpoint, input, how.signal);
        const text = await response.text();
        if (response.ok) return readAnswer(endpoint, text, request);
        failure = errorOfAnswer(response.status, text, request);
        // A public endpoint refuses what it was given, a sign-in for one, and not the caller's key.
        const refusesCaller = response.status === 401 && endpoint.role !== "public";
        if (refusesCaller && failure instanceof SluiceError) throw refusedKey(url, key !== null, failure);
        if (!RETRIED_STATUS.has(response.status) || !(safe || UNTOUCHED_STATUS.has(response.status))) throw failure;
        delayMs = Math.max(delayMs, retryAfterMs(response.headers.get("retry-after")));
      } catch (error) {
        how.signal?.throwIfAborted();
        if (error instanceof SluiceError) throw error;
        failure = new ApiUnreachableError(url, networkReason(error), error);
        if (!safe && !wasNeverSent(error)) throw failure;
      }
      if (performance.now() + delayMs > giveUpAt) throw failure;
      await pause(delayMs, how.signal);
    }
  }

  return {
    url,
    key,
    call: call as ApiClient["call"],
    socketUrl: (path) => `${url.replace(/^http/, "ws")}${path}`,
  };
}

function apiUrl(given: string): string {
  if (!URL.canParse(given) || !/^https?:/.test(given)) {
    throw new TypeError(
      `The address of the Sluice API (SLUICE_API_URL, unless code says it) is ${JSON.stringify(given)}. Give an http or https URL, for example http://127.0.0.1:4200/api.`,
    );
  }
  const { origin, pathname } = new URL(given);
  const path = pathname.replace(/\/+$/, "");
  return `${origin}${path.endsWith("/api") ? path : `${path}/api`}`;
}

function address(base: string, path: string, input: LooseInput): string {
  const params = (input.params ?? {}) as Record<string, unknown>;
  const filled = path.replace(/:([a-z_]+)/gi, (_, name: string) => encodeURIComponent(String(params[name])));
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries((input.query ?? {}) as Record<string, unknown>)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null) query.append(name, String(one));
    }
  }
  const search = query.toString();
  return `${base}${filled}${search ? `?${search}` : ""}`;
}

function readAnswer(endpoint: Endpoint, text: string, request: string): unknown {
  if (!endpoint.returns || text === "") return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new SluiceError("bad_json", `${request} was answered with something that is not JSON.`, {
      fix: "Check that SLUICE_API_URL is the address of the API, not of a web page or a proxy's login.",
      cause,
    });
  }
  const parsed = endpoint.returns.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new SluiceError(
    "bad_version",
    `${request}: field "${issue?.path.join(".") ?? ""}" of the answer is not understood: ${issue?.message ?? "invalid"}.`,
    { fix: "Use a client and a control plane of about the same version.", cause: parsed.error },
  );
}

/** Reads Retry-After: seconds, possibly with a fraction, or a date. */
function retryAfterMs(header: string | null): number {
  if (header === null) return 0;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1_000);
  const at = Date.parse(header);
  return Number.isNaN(at) ? 0 : Math.max(0, at - Date.now());
}
