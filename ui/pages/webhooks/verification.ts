/** How the senders of webhooks prove themselves, in words. */
import type { z } from "zod";
import { WebhookVerification } from "#protocol/webhooks";

export type VerificationType = WebhookVerification["type"];

export const VERIFICATIONS: Readonly<Record<VerificationType, string>> = {
  github: "GitHub",
  stripe: "Stripe",
  slack: "Slack",
  standard: "Standard Webhooks",
  hmac: "Another signature (HMAC)",
  bearer: "A token (Bearer)",
  none: "Nobody is asked",
};

/** Where the secret comes from, for the hint below its field. */
export const SECRETS: Readonly<Record<Exclude<VerificationType, "none">, string>> = {
  github: "The same one as in the webhook's settings on GitHub.",
  stripe: "Stripe makes it: whsec_…",
  slack: "The signing secret of the app.",
  standard: "As the sender shows it: whsec_…",
  hmac: "The one that the sender signs with.",
  bearer: "Whoever sends it as a Bearer token may start runs.",
};

/** What the form holds while a signature is described. */
export type HmacFields = Extract<z.input<typeof WebhookVerification>, { type: "hmac" }>;

export const HMAC: HmacFields = {
  type: "hmac",
  header: "x-signature",
  algorithm: "sha256",
  encoding: "hex",
  prefix: "",
};

export function verificationOf(type: VerificationType, hmac: HmacFields): WebhookVerification {
  return WebhookVerification.parse(type === "hmac" ? hmac : { type });
}

/** 256 random bits, as text. */
export function newSecret(): string {
  return [...crypto.getRandomValues(new Uint8Array(32))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
