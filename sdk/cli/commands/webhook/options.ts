/** What a webhook is told when it is made, and again when it is changed. */
import { JsonObject } from "../../../protocol/flow-runs.ts";
import { LIMITS } from "../../../protocol/limits.ts";
import type { WebhookUpdate, WebhookVerification } from "../../../protocol/webhooks.ts";
import { CliError } from "../../errors.ts";
import { EXIT } from "../../exit-codes.ts";
import { choice, integer, json, kebab, repeated, text, type Values } from "../../parameters.ts";

export const WAYS = ["github", "stripe", "slack", "standard", "hmac", "bearer", "none"] as const;

export const SETTINGS = {
  parameters: json('Parameters of its runs, such as {"order": "{{ body.order.id }}"}.'),
  key: text("What tells deliveries apart, such as {{ body.id }}; '' leaves it to the sender's way.", {
    placeholder: "template",
  }),
  tag: repeated(text("A tag of its runs; may be given several times. '' for none.", { placeholder: "tag" })),
  window: integer("Seconds for which a signature counts. Default: 300.", { min: 1, max: 86_400 }),
  maxBody: integer("Bytes of a delivery's body at most. Default: 262144.", { min: 1, max: LIMITS.webhookBodyBytes }),
};

/** How a sender signs that none of the known ones is like. */
export const SIGNATURE = {
  header: text("With hmac: the header with the signature.", { placeholder: "name" }),
  algorithm: choice("With hmac: the hash. Default: sha256.", ["sha256", "sha1", "sha512"]),
  encoding: choice("With hmac: how the signature is written. Default: hex.", ["hex", "base64"]),
  prefix: text("With hmac: what stands before the signature, such as sha256=."),
  timestampHeader: text("With hmac: the header with the Unix time that is signed before the body; '' for none.", {
    placeholder: "name",
  }),
};

/** The settings that are said, and no others. */
export function settingsOf(options: Values<typeof SETTINGS>): WebhookUpdate {
  const { parameters, key, tag, window, maxBody } = options;
  return {
    ...(parameters === undefined ? {} : { parameters: objectOf(parameters) }),
    ...(key === undefined ? {} : { idempotency_key: key === "" ? null : key }),
    ...(tag.length === 0 ? {} : { tags: tag.filter((one) => one !== "") }),
    ...(window === undefined ? {} : { replay_window_seconds: window }),
    ...(maxBody === undefined ? {} : { max_body_bytes: maxBody }),
  };
}

/** The first option that says how a sender signs, as it is typed; null if none does. */
export function signatureOption(how: Values<typeof SIGNATURE>): string | null {
  const names = Object.keys(SIGNATURE) as (keyof typeof SIGNATURE)[];
  const given = names.find((name) => how[name] !== undefined);
  return given === undefined ? null : `--${kebab(given)}`;
}

/** `before` is how the sender signed until now: what is not said of hmac stays. Throws for what does not fit together. */
export function verificationOf(
  type: (typeof WAYS)[number],
  how: Values<typeof SIGNATURE>,
  before: WebhookVerification | null = null,
): WebhookVerification {
  if (type !== "hmac") {
    const idle = signatureOption(how);
    if (idle === null) return { type };
    throw misused(`${idle} is of verification by hmac, and this is by ${type}.`, "Leave it out, or add --verify hmac.");
  }
  const known = before?.type === "hmac" ? before : null;
  const header = how.header ?? known?.header;
  if (header === undefined) throw misused("Verification by hmac needs to know the header.", "Add --header NAME.");
  const timestampHeader = how.timestampHeader ?? known?.timestamp_header ?? "";
  return {
    type,
    header,
    algorithm: how.algorithm ?? known?.algorithm ?? "sha256",
    encoding: how.encoding ?? known?.encoding ?? "hex",
    prefix: how.prefix ?? known?.prefix ?? "",
    timestamp_header: timestampHeader === "" ? null : timestampHeader,
  };
}

export function misused(message: string, fix: string): CliError {
  return new CliError(message, { fix, code: "usage", exitCode: EXIT.usage });
}

function objectOf(given: unknown): JsonObject {
  const read = JsonObject.safeParse(given);
  if (read.success) return read.data;
  throw misused("The parameters are no JSON object.", "Give an object, with a key for each parameter.");
}
