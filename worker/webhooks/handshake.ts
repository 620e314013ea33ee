/** Questions of providers that are not messages: they are answered, and start nothing. */
import type { WebhookVerification } from "#protocol/webhooks";
import type { Source } from "./render.ts";

/** Null for a message. */
export function handshake(
  { type }: WebhookVerification,
  { headers, body }: Source,
): { readonly text: string; readonly reason: string } | null {
  if (type === "github" && headers["x-github-event"] === "ping") {
    return { text: "pong", reason: "GitHub asked whether somebody is there." };
  }
  const said = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  const challenge = said["challenge"];
  if (type === "slack" && said["type"] === "url_verification" && typeof challenge === "string") {
    return { text: challenge, reason: "Slack asked whether the address is ours." };
  }
  return null;
}
