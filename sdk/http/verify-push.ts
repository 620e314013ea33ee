/** Whether a push comes from the control plane: its signature as Standard Webhooks has it, and its time. */
import { secretBytes } from "../protocol/push.ts";

/** How far the time of a push may be from ours, in milliseconds. */
export const REPLAY_WINDOW_MS = 5 * 60_000;

export interface PushToVerify {
  readonly headers: Headers;
  readonly body: string;
  readonly secrets: readonly string[];
  readonly nowMs: number;
}

/** Answers the id of the message, or why it is not believed. */
export async function verifyPush({
  headers,
  body,
  secrets,
  nowMs,
}: PushToVerify): Promise<
  { readonly ok: true; readonly id: string } | { readonly ok: false; readonly reason: string }
> {
  const id = headers.get("webhook-id") ?? "";
  const timestamp = headers.get("webhook-timestamp") ?? "";
  const signatures = (headers.get("webhook-signature") ?? "").split(" ").filter((text) => text.startsWith("v1,"));
  if (id === "" || signatures.length === 0) return refused("The request is not signed.");
  if (!/^\d{1,12}$/.test(timestamp)) return refused("The header webhook-timestamp holds no Unix time.");
  const ageMs = nowMs - Number(timestamp) * 1_000;
  if (Math.abs(ageMs) > REPLAY_WINDOW_MS) {
    return refused(
      `The request was signed ${Math.round(ageMs / 1_000)} s ago by this machine's clock; 300 s are allowed.`,
    );
  }
  const content = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  for (const secret of secrets) {
    const bytes = secretBytes(secret);
    if (bytes === null) continue;
    const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
    for (const text of signatures) {
      const signature = decoded(text.slice("v1,".length));
      // The platform compares without telling by its time where they differ.
      if (signature !== null && (await crypto.subtle.verify("HMAC", key, signature, content))) return { ok: true, id };
    }
  }
  return refused("The signature is not that of the request with a secret that is known here.");
}

function decoded(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    // Not base64: no signature.
    return null;
  }
}

function refused(reason: string) {
  return { ok: false, reason } as const;
}
