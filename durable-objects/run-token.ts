/**
 * The key of one run: what its process presents, so that it needs no key of the worker. It names the run and the claim,
 * and is signed with a key that is derived from the root key, so nothing of it is stored. It is good as long as its
 * claim is the run's newest one and the run has not ended.
 */
import { KEY_PREFIX } from "#protocol/access";
import { FlowRunId } from "#protocol/ids";

/** What a token says of itself. */
export interface RunToken {
  readonly flowRunId: FlowRunId;
  readonly generation: number;
}

const PREFIX = `${KEY_PREFIX}run_`;
const FORM = new RegExp(`^${PREFIX}([0-9a-f-]{36})_(\\d{1,10})_([A-Za-z0-9_-]{43})$`);
const PURPOSE = "sluice run token 1";

/** After its end a run may still have something to say: hooks run then, and artifacts are stored. */
export const TOKEN_AFTER_END_MS = 60_000;

/** Null on a server that asks for no keys. */
export async function makeRunToken(rootKey: string | undefined, token: RunToken): Promise<string | null> {
  if (!rootKey) return null;
  const bytes = new Uint8Array(await crypto.subtle.sign("HMAC", await signingKey(rootKey), saying(token)));
  return `${PREFIX}${token.flowRunId}_${token.generation}_${base64url(bytes)}`;
}

/** What a presented key says, if it is such a token and its signature is right; null otherwise. */
export async function readRunToken(rootKey: string, presented: string): Promise<RunToken | null> {
  const [, id, generation = "", signature = ""] = FORM.exec(presented) ?? [];
  const flowRunId = FlowRunId.safeParse(id);
  if (!flowRunId.success) return null;
  const token = { flowRunId: flowRunId.data, generation: Number(generation) };
  const key = await signingKey(rootKey);
  return (await crypto.subtle.verify("HMAC", key, fromBase64url(signature), saying(token))) ? token : null;
}

async function signingKey(rootKey: string): Promise<CryptoKey> {
  const encoder = new TextEncoder();
  const root = await crypto.subtle.importKey("raw", encoder.encode(rootKey), "HKDF", false, ["deriveKey"]);
  const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encoder.encode(PURPOSE) };
  return crypto.subtle.deriveKey(how, root, { name: "HMAC", hash: "SHA-256", length: 256 }, false, ["sign", "verify"]);
}

function saying({ flowRunId, generation }: RunToken): Uint8Array {
  return new TextEncoder().encode(`${flowRunId} ${generation}`);
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

function fromBase64url(text: string): Uint8Array {
  const letters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}
