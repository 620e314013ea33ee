/**
 * A bucket of S3, or of what speaks its protocol (R2, MinIO, …), by `fetch` and signature version 4: on every runtime.
 * Whoever keeps results elsewhere does not load this file.
 */
import { AwsV4Signer } from "aws4fetch";
import { fullJitterMs, pause } from "../../client/jitter.ts";
import { sha256 } from "../results/hash.ts";
import { S3Error } from "./s3-error.ts";

/** Who asks. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials; null for others. */
  readonly sessionToken: string | null;
}

/** Which bucket, where. */
export interface S3Address {
  readonly bucket: string;
  /** `https://ACCOUNT.r2.cloudflarestorage.com`; null for Amazon's own. */
  readonly endpoint: string | null;
  readonly region: string;
  readonly credentials: S3Credentials;
  /** For the head of an answer, and for the whole of it where it is read into memory. */
  readonly timeoutMs: number;
}

interface S3Request {
  readonly method: "GET" | "PUT" | "DELETE";
  readonly url: URL;
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly signal?: AbortSignal;
}

const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
/** Another attempt may get another answer. */
const PASSING = new Set([408, 429, 500, 502, 503, 504]);
const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const HINTS: Readonly<Record<string, string>> = {
  AccessDenied: " The credentials may not do this, or (without s3:ListBucket) there is no such object.",
  InvalidAccessKeyId: " The access key is not known there.",
  SignatureDoesNotMatch: " The secret access key is another one, or the region is.",
  NoSuchBucket: " Make the bucket, or correct its name.",
  ExpiredToken: " The session token has expired.",
  RequestTimeTooSkewed: " The clock of this machine is wrong.",
};

export class S3Bucket {
  readonly #address: S3Address;
  readonly #root: URL;
  /** Keys made of the secret for a day, as the signer wants to keep them. */
  readonly #keys = new Map<string, ArrayBuffer>();

  /** Throws TypeError for an endpoint that is not an address. */
  constructor(address: S3Address) {
    const { endpoint, region, bucket } = address;
    const given = endpoint ?? `https://s3.${region}.amazonaws.com`;
    if (!URL.canParse(given)) throw new TypeError(`The endpoint ${JSON.stringify(given)} is not an address.`);
    const base = new URL(given);
    this.#address = address;
    this.#root = new URL(`${base.pathname.replace(/\/$/, "")}/${encoded(bucket)}`, base);
  }

  /** The bytes of an object; null when there is none. */
  async read(key: string): Promise<Uint8Array | null> {
    const answer = await this.#send({ method: "GET", url: this.#urlOf(key) }, async (response) => ({
      response,
      bytes: response.ok ? new Uint8Array(await response.arrayBuffer()) : null,
    }));
    return answer?.bytes ?? null;
  }

  /** An object as it comes in; null when there is none. Only its beginning is waited for. */
  async open(key: string, signal: AbortSignal): Promise<Response | null> {
    const answer = await this.#send({ method: "GET", url: this.#urlOf(key), signal }, async (response) => ({
      response,
    }));
    return answer?.response ?? null;
  }

  async write(key: string, bytes: Uint8Array): Promise<void> {
    await this.#send({ method: "PUT", url: this.#urlOf(key), body: new Uint8Array(bytes) }, discarded);
  }

  /** One that is not there is no error. */
  async delete(key: string): Promise<void> {
    await this.#send({ method: "DELETE", url: this.#urlOf(key) }, discarded);
  }

  /** The keys that begin with a prefix, all pages of them. */
  async list(prefix: string, signal: AbortSignal): Promise<string[]> {
    const keys: string[] = [];
    let token: string | null = null;
    do {
      const url = new URL(this.#root);
      const query: string[] = ["list-type=2", `prefix=${encoded(prefix)}`];
      if (token !== null) query.unshift(`continuation-token=${encoded(token)}`);
      url.search = query.join("&");
      const answer: { text: string } | null = await this.#send({ method: "GET", url, signal }, async (response) => ({
        response,
        text: response.ok ? await response.text() : "",
      }));
      const text = answer?.text ?? "";
      for (const [, key = ""] of text.matchAll(/<Key>([^<]*)<\/Key>/g)) keys.push(unescaped(key));
      const next = /<NextContinuationToken>([^<]*)<\/NextContinuationToken>/.exec(text)?.[1];
      token = next === undefined ? null : unescaped(next);
    } while (token !== null);
    return keys;
  }

  #urlOf(key: string): URL {
    return new URL(`${this.#root.href}/${key.split("/").map(encoded).join("/")}`);
  }

  /** Null for an object that is not there. Throws {@link S3Error}, and the signal's reason. */
  async #send<T extends { readonly response: Response }>(
    request: S3Request,
    take: (response: Response) => Promise<T>,
  ): Promise<T | null> {
    for (let attempt = 1; ; attempt++) {
      const failure = await this.#attempt(request, take);
      if (!(failure instanceof S3Error)) return failure;
      if (failure.status === 404 && failure.code !== "NoSuchBucket" && request.method !== "PUT") return null;
      const isPassing = failure.status === null || PASSING.has(failure.status);
      if (!isPassing || attempt === ATTEMPTS) throw failure;
      await pause(fullJitterMs(attempt, FIRST_PAUSE_MS, LONGEST_PAUSE_MS), request.signal);
    }
  }

  async #attempt<T extends { readonly response: Response }>(
    request: S3Request,
    take: (response: Response) => Promise<T>,
  ): Promise<T | S3Error> {
    const { method, url, body, signal } = request;
    const { timeoutMs } = this.#address;
    const what = `${method} ${url.origin}${url.pathname}`;
    const headers = await this.#headers(request);
    const tooLong = new AbortController();
    const timer = setTimeout(() => tooLong.abort(), timeoutMs);
    try {
      const taken = await take(
        await fetch(url, {
          method,
          headers,
          ...(body === undefined ? {} : { body }),
          signal: signal === undefined ? tooLong.signal : AbortSignal.any([signal, tooLong.signal]),
          redirect: "manual",
        }),
      );
      const { response } = taken;
      if (response.ok) return taken;
      const code = /<Code>([^<]*)<\/Code>/.exec(response.bodyUsed ? "" : await response.text())?.[1] ?? null;
      const named = code === null ? "" : ` (${code})`;
      return new S3Error(
        `${what} answered ${response.status}${named}.${HINTS[code ?? ""] ?? ""}`,
        response.status,
        code,
      );
    } catch (cause) {
      signal?.throwIfAborted();
      const why = tooLong.signal.aborted ? `did not answer within ${timeoutMs} ms` : `failed: ${reasonOf(cause)}`;
      return new S3Error(`${what} ${why}.`, null, null, cause);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The signature covers the bytes, so that what arrives is what was sent. */
  async #headers({ method, url, body }: S3Request): Promise<Headers> {
    const { accessKeyId, secretAccessKey, sessionToken } = this.#address.credentials;
    const signed = await new AwsV4Signer({
      method,
      url: url.href,
      headers: { "x-amz-content-sha256": body === undefined ? EMPTY_SHA256 : await sha256(body) },
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === null ? {} : { sessionToken }),
      service: "s3",
      region: this.#address.region,
      cache: this.#keys,
    }).sign();
    return signed.headers;
  }
}

async function discarded(response: Response): Promise<{ readonly response: Response }> {
  if (response.ok) await response.body?.cancel();
  return { response };
}

function reasonOf(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  return inner instanceof Error ? inner.message || inner.name : String(inner);
}

/** A path or query value as S3 wants it: all but unreserved characters in percent form. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex?: string, decimal?: string, name?: string) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    return ENTITIES[name ?? ""] ?? whole;
  });
}
