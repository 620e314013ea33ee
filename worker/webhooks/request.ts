/** A delivery as it arrived, within bounds, and what of it is kept. */
import { SluiceError } from "#protocol/errors";
import { LIMITS } from "#protocol/limits";
import type { Source } from "./render.ts";

/** Header values are kept up to this many characters. */
const HEADER_CHARS = 4_096;
/** Names of headers that authorize or sign. */
const SECRET_HEADER = /authorization|cookie|signature|token|secret|api-?key|password|hmac/;
/** What stands for something else in parameters, which only people who may make runs may say. */
const REFERENCES: ReadonlySet<string> = new Set(["__prefect_kind", "block_document_id"]);

/** The body, read no further than the bound; null when it is larger. */
export async function readBounded(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer> | null> {
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) return null;
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = request.body?.getReader();
  for (;;) {
    const part = await reader?.read();
    if (part === undefined || part.done) break;
    length += part.value.byteLength;
    if (length > maxBytes) {
      await reader?.cancel();
      return null;
    }
    chunks.push(part.value);
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.byteLength;
  }
  return body;
}

/** The headers without those that authorize or sign; `signature` is one more of these. */
export function shownHeaders(headers: Headers, signature: string | null): Record<string, string> {
  const shown = [...headers].filter(([name]) => !SECRET_HEADER.test(name) && name !== signature);
  return Object.fromEntries(shown.map(([name, value]) => [name, value.slice(0, HEADER_CHARS)]));
}

/** What templates read. Throws for a body that says it is JSON and is not, and for one that refers to something of ours. */
export function sourceOf(sent: {
  readonly headers: Record<string, string>;
  readonly query: Record<string, string>;
  readonly body: string;
}): Source {
  const body = parseBody(sent.body, sent.headers["content-type"] ?? "");
  requirePlain(body, LIMITS.jsonDepth);
  return { headers: sent.headers, query: sent.query, body };
}

function parseBody(text: string, contentType: string): unknown {
  if (/^application\/x-www-form-urlencoded/i.test(contentType)) return Object.fromEntries(new URLSearchParams(text));
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (!/json/i.test(contentType)) return text;
    throw new SluiceError("bad_json", `The body is not JSON: ${(cause as Error).message}.`, {
      fix: "Send JSON, or another content type.",
      cause,
    });
  }
}

function requirePlain(value: unknown, depth: number): void {
  if (typeof value !== "object" || value === null) return;
  if (depth === 0) {
    throw new SluiceError("validation", `The body is nested deeper than ${LIMITS.jsonDepth} levels.`, {
      fix: "Send flatter JSON.",
    });
  }
  for (const [key, inner] of Object.entries(value)) {
    if (REFERENCES.has(key)) {
      throw new SluiceError("bad_request", `The body holds "${key}", which refers to what this server keeps.`, {
        fix: "References to variables and blocks are not taken from senders; put them into the webhook's parameters.",
      });
    }
    requirePlain(inner, depth - 1);
  }
}
