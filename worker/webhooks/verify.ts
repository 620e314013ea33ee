/** Whether the sender of a delivery is who it should be, and whether the delivery is new: one check for each provider. */
import type { WebhookVerification } from "#protocol/webhooks";
import { sameSecret } from "../../durable-objects/same-secret.ts";
import { decodeSignature, isSigned, toHex } from "./signature.ts";

/** What a provider sent. */
export interface Sent {
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** What to hold it against. Times in milliseconds. */
export interface Expected {
  readonly verification: WebhookVerification;
  readonly secrets: readonly string[];
  readonly nowMs: number;
  readonly replayWindowMs: number;
}

export type Proof =
  | {
      readonly ok: true;
      /** What tells this message from others, as far as the sender cannot change it unseen; null where nothing does. */
      readonly key: string | null;
    }
  | { readonly ok: false; readonly reason: string };

/** A way to sign: where the signatures stand, and what they are made of. */
interface Scheme {
  readonly algorithm: "SHA-1" | "SHA-256" | "SHA-512";
  readonly encoding: "hex" | "base64";
  /** The header that a sender may have forgotten. */
  readonly header: string;
  /** As they were sent, without prefixes. */
  readonly signatures: readonly string[];
  /** What is signed before the body. */
  readonly before: string;
  /** Unix seconds; null where no time is signed. */
  readonly timestamp: string | null;
  /** The header or part of it in which the time stands. */
  readonly timestampIn: string | null;
  /** The key that a secret stands for. */
  readonly keyOf: (secret: string) => Uint8Array<ArrayBuffer> | null;
  /** The message's own id where it is signed, or else null. */
  readonly id: string | null;
}

const HASHES = { sha1: "SHA-1", sha256: "SHA-256", sha512: "SHA-512" } as const;

export async function verify(sent: Sent, expected: Expected): Promise<Proof> {
  const { verification, secrets } = expected;
  switch (verification.type) {
    case "none":
      return { ok: true, key: sent.headers.get("idempotency-key") };
    case "bearer":
      return bearer(sent, secrets);
    case "hmac":
      return signed(sent, expected, generic(sent.headers, verification));
    case "github":
      return signed(sent, expected, github(sent.headers));
    case "stripe":
      return signed(sent, expected, stripe(sent.headers));
    case "slack":
      return signed(sent, expected, slack(sent.headers));
    case "standard":
      return signed(sent, expected, standard(sent.headers));
  }
}

async function bearer({ headers }: Sent, secrets: readonly string[]): Promise<Proof> {
  const [, token] = /^bearer\s+(\S+)\s*$/i.exec(headers.get("authorization") ?? "") ?? [];
  if (token === undefined) return refused('The header Authorization does not hold "Bearer" and a token.');
  const matches = await Promise.all(secrets.map((secret) => sameSecret(token, secret)));
  return matches.includes(true)
    ? { ok: true, key: headers.get("idempotency-key") }
    : refused("The token is not the webhook's.");
}

async function signed({ body }: Sent, { secrets, nowMs, replayWindowMs }: Expected, scheme: Scheme): Promise<Proof> {
  if (scheme.signatures.length === 0) return refused(`The header ${scheme.header} holds no signature.`);
  if (scheme.timestampIn !== null) {
    if (!/^\d{1,12}$/.test(scheme.timestamp ?? "")) return refused(`${scheme.timestampIn} holds no Unix time.`);
    const ageMs = nowMs - Number(scheme.timestamp) * 1_000;
    if (Math.abs(ageMs) > replayWindowMs) return refused(outOfTime(ageMs, replayWindowMs));
  }
  const before = new TextEncoder().encode(scheme.before);
  const content = new Uint8Array(before.length + body.length);
  content.set(before);
  content.set(body, before.length);
  const keys = secrets.map(scheme.keyOf).filter((key) => key !== null);
  for (const text of scheme.signatures) {
    const signature = decodeSignature(text, scheme.encoding);
    if (signature === null) continue;
    for (const key of keys) {
      if (await isSigned({ algorithm: scheme.algorithm, key, signature, content })) {
        // The bytes, not the text: a hexadecimal signature may be written in capitals and still be the same.
        return { ok: true, key: scheme.id ?? toHex(signature) };
      }
    }
  }
  return refused(`No signature in ${scheme.header} is that of the body with a secret of the webhook.`);
}

function generic(headers: Headers, how: Extract<WebhookVerification, { type: "hmac" }>): Scheme {
  const text = headers.get(how.header) ?? "";
  const timestamp = how.timestamp_header === null ? null : (headers.get(how.timestamp_header) ?? "");
  return {
    ...PLAIN,
    algorithm: HASHES[how.algorithm],
    encoding: how.encoding,
    header: how.header,
    signatures: text.startsWith(how.prefix) && text !== "" ? [text.slice(how.prefix.length)] : [],
    before: timestamp === null ? "" : `${timestamp}.`,
    timestamp,
    timestampIn: how.timestamp_header === null ? null : `The header ${how.timestamp_header}`,
  };
}

function github(headers: Headers): Scheme {
  const header = "x-hub-signature-256";
  // X-GitHub-Delivery is not signed, so a repeat is known by its signature.
  return { ...PLAIN, header, signatures: withPrefix([headers.get(header) ?? ""], "sha256=") };
}

function stripe(headers: Headers): Scheme {
  const parts = (headers.get("stripe-signature") ?? "").split(",").map((part) => part.trim());
  const timestamp = withPrefix(parts, "t=")[0] ?? "";
  return {
    ...PLAIN,
    header: "stripe-signature",
    signatures: withPrefix(parts, "v1="),
    before: `${timestamp}.`,
    timestamp,
    timestampIn: "t= in the header stripe-signature",
  };
}

function slack(headers: Headers): Scheme {
  const timestamp = headers.get("x-slack-request-timestamp") ?? "";
  return {
    ...PLAIN,
    header: "x-slack-signature",
    signatures: withPrefix([headers.get("x-slack-signature") ?? ""], "v0="),
    before: `v0:${timestamp}:`,
    timestamp,
    timestampIn: "The header x-slack-request-timestamp",
  };
}

function standard(headers: Headers): Scheme {
  // Svix sends its own names beside those of the specification, or in their place.
  const get = (name: string): string => headers.get(`webhook-${name}`) ?? headers.get(`svix-${name}`) ?? "";
  const id = get("id");
  const timestamp = get("timestamp");
  return {
    ...PLAIN,
    encoding: "base64",
    header: "webhook-signature",
    signatures: withPrefix(get("signature").split(" "), "v1,"),
    before: `${id}.${timestamp}.`,
    timestamp,
    timestampIn: "The header webhook-timestamp",
    keyOf: (secret) => decodeSignature(secret.replace(/^whsec_/, ""), "base64"),
    id: id === "" ? null : id,
  };
}

const PLAIN = {
  algorithm: "SHA-256",
  encoding: "hex",
  before: "",
  timestamp: null,
  timestampIn: null,
  keyOf: (secret: string) => Uint8Array.from(new TextEncoder().encode(secret)),
  id: null,
} as const;

/** The rest of those that begin so; empty ones are none. */
function withPrefix(texts: readonly string[], prefix: string): string[] {
  return texts.filter((text) => text.startsWith(prefix) && text !== prefix).map((text) => text.slice(prefix.length));
}

function outOfTime(ageMs: number, windowMs: number): string {
  const seconds = Math.round(Math.abs(ageMs) / 1_000);
  const when = ageMs > 0 ? `${seconds} s ago` : `${seconds} s in the future`;
  return `It was signed ${when}, and ${windowMs / 1_000} s are allowed: it is a replay, or a clock is wrong.`;
}

function refused(reason: string): Proof {
  return { ok: false, reason };
}
