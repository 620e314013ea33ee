/** Signs a request as Standard Webhooks has it. */
import { secretBytes } from "#protocol/push";

/** One signature for each secret, as `webhook-signature` lists them. Throws TypeError for a secret that is none. */
export async function signaturesOf(
  secrets: readonly string[],
  { id, timestamp, body }: { readonly id: string; readonly timestamp: number; readonly body: string },
): Promise<string> {
  const content = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  const signatures = secrets.map(async (secret) => {
    const bytes = secretBytes(secret);
    if (bytes === null) throw new TypeError("A secret of the work pool is not base64 of 24 bytes or more.");
    const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, content));
    return `v1,${btoa(String.fromCharCode(...signature))}`;
  });
  return (await Promise.all(signatures)).join(" ");
}
