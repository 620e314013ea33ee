/**
 * Webhooks: addresses (`POST /hooks/:slug`) at which somebody else's system starts runs of a deployment. Each says how
 * its sender proves itself, and how parameters are made of what was sent.
 */
import { z } from "zod";
import { bounded } from "./bounded.ts";
import { endpoint } from "./endpoint.ts";
import { Paging } from "./filters.ts";
import { JsonObject } from "./flow-runs.ts";
import { DeploymentId, FlowRunId, Uuid } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { WireTime } from "./time.ts";

const Header = z
  .string()
  .min(1)
  .max(LIMITS.nameChars)
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, "must be the name of a header")
  .transform((name) => name.toLowerCase());

/** How the sender of a delivery proves itself. All but `none` need a secret. */
export const WebhookVerification = z.discriminatedUnion("type", [
  /** A header holds the HMAC of the body, or of `<time>.<body>` where another header holds the time. */
  z.object({
    type: z.literal("hmac"),
    header: Header,
    algorithm: z.enum(["sha256", "sha1", "sha512"]).default("sha256"),
    encoding: z.enum(["hex", "base64"]).default("hex"),
    /** What stands before the signature, such as `sha256=`. */
    prefix: z.string().max(40).default(""),
    /** The header with the Unix time in seconds; null: the time is not signed, so repeats are known by their signature. */
    timestamp_header: Header.nullish().transform((name) => name ?? null),
  }),
  z.object({ type: z.literal("github") }),
  z.object({ type: z.literal("stripe") }),
  z.object({ type: z.literal("slack") }),
  /** Standard Webhooks, as Svix and many others send them. */
  z.object({ type: z.literal("standard") }),
  /** `Authorization: Bearer <secret>`. */
  z.object({ type: z.literal("bearer") }),
  /** Whoever knows the address may start runs. */
  z.object({ type: z.literal("none") }),
]);
export type WebhookVerification = z.infer<typeof WebhookVerification>;

const slug = z
  .string()
  .max(100)
  .regex(/^[a-z0-9][a-z0-9_-]*$/, "may hold lower-case letters, digits, dashes and underscores only");
/** The newest first; while a secret is being changed, its predecessor stands behind it. */
const secrets = z.array(z.string().min(1).max(1_000)).max(3);
const parameters = bounded(JsonObject, LIMITS.detailBytes);
const replayWindow = z.int().min(1).max(86_400);
const bodyBytes = z.int().min(1).max(LIMITS.webhookBodyBytes);
const tags = bounded(z.array(z.string()), LIMITS.detailBytes);
const keyTemplate = z.string().max(LIMITS.keyChars);

/** A webhook as it is read; its secrets are not shown. */
export const Webhook = z.object({
  id: Uuid,
  created: WireTime,
  updated: WireTime,
  slug: z.string(),
  /** Where deliveries go, below the address of the server. */
  path: z.string(),
  deployment_id: DeploymentId,
  /** One that is not active refuses deliveries with 409. */
  active: z.boolean(),
  verification: WebhookVerification,
  /** How many secrets it has; they are never shown. */
  secrets: z.int(),
  /** Parameters of its runs; `{{ body.… }}`, `{{ headers.… }}` and `{{ query.… }}` stand for what was sent. */
  parameters: JsonObject,
  /** What tells deliveries apart; null leaves it to the way of verification. */
  idempotency_key: z.string().nullable(),
  tags: z.array(z.string()),
  /** By how much the time of a signed delivery may differ from the server's. */
  replay_window_seconds: z.int(),
  max_body_bytes: z.int(),
});
export type Webhook = z.infer<typeof Webhook>;

/** A webhook that is to be made. By default it is active, without parameters and tags. */
export const WebhookCreate = z.object({
  /** Default: one that nobody guesses. */
  slug: slug.nullish(),
  deployment_id: DeploymentId,
  active: z.boolean().nullish(),
  verification: WebhookVerification,
  secrets: secrets.nullish(),
  parameters: parameters.nullish(),
  idempotency_key: keyTemplate.nullish(),
  tags: tags.nullish(),
  /** Default 300. */
  replay_window_seconds: replayWindow.nullish(),
  /** Default 262,144. */
  max_body_bytes: bodyBytes.nullish(),
});
export type WebhookCreate = z.infer<typeof WebhookCreate>;

/** An absent key is left as it is, and so is one that is null, but for `idempotency_key`. */
export const WebhookUpdate = z.object({
  deployment_id: DeploymentId.nullish(),
  active: z.boolean().nullish(),
  verification: WebhookVerification.nullish(),
  secrets: secrets.nullish(),
  parameters: parameters.nullish(),
  idempotency_key: keyTemplate.nullish(),
  tags: tags.nullish(),
  replay_window_seconds: replayWindow.nullish(),
  max_body_bytes: bodyBytes.nullish(),
});
export type WebhookUpdate = z.infer<typeof WebhookUpdate>;

/** What became of a delivery: a run, a run that an earlier one had started, an answer without a run, or nothing. */
export const WebhookVerdict = z.enum(["accepted", "duplicate", "answered", "refused"]);
export type WebhookVerdict = z.infer<typeof WebhookVerdict>;

/** A delivery as it was kept: the last 50 of senders that proved themselves, and the last 20 of others. */
export const WebhookDelivery = z.object({
  id: Uuid,
  created: WireTime,
  verdict: WebhookVerdict,
  /** The status that was answered. */
  status: z.int(),
  /** Why it was refused, or answered without a run. */
  reason: z.string().nullable(),
  /** Null where no run was started. */
  flow_run_id: FlowRunId.nullable(),
  /** Whether the sender proved itself: only such a delivery can be sent again, and only its body is kept. */
  is_verified: z.boolean(),
  /** The delivery that this one repeats, because somebody sent it again. */
  resent_from: Uuid.nullable(),
  /** Without those that authorize or sign. */
  headers: z.record(z.string(), z.string()),
  query: z.record(z.string(), z.string()),
  body: z.string().nullable(),
});
export type WebhookDelivery = z.infer<typeof WebhookDelivery>;

/** What `POST /hooks/:slug` answers with 202. */
export const WebhookAccepted = z.object({
  flow_run_id: FlowRunId,
  delivery_id: Uuid,
  /** The run was started by an earlier delivery of the same message. */
  duplicate: z.boolean(),
});
export type WebhookAccepted = z.infer<typeof WebhookAccepted>;

const bySlug = z.object({ slug: z.string() });

/**
 * 404 for an unknown deployment, 409 when the slug is taken, 422 for verification without a secret that it needs or a
 * placeholder that is none, 503 where the control plane has no key to encrypt secrets with.
 */
export const createWebhook = endpoint({
  id: "create_webhook",
  method: "POST",
  path: "/webhooks/",
  tag: "Webhooks",
  status: 201,
  summary: "Create a webhook, at whose address deliveries start runs of a deployment.",
  body: WebhookCreate,
  returns: Webhook,
});
/** Those of one deployment, or all; at most 200. */
export const filterWebhooks = endpoint({
  id: "filter_webhooks",
  method: "POST",
  path: "/webhooks/filter",
  tag: "Webhooks",
  role: "viewer",
  summary: "List webhooks, by their slug.",
  body: z.object({ deployment_id: DeploymentId.nullish() }).extend(Paging.shape),
  returns: z.array(Webhook),
});
/** 404 for an unknown slug. */
export const readWebhook = endpoint({
  id: "read_webhook",
  method: "GET",
  path: "/webhooks/:slug",
  tag: "Webhooks",
  role: "viewer",
  summary: "Read a webhook.",
  params: bySlug,
  returns: Webhook,
});
/** Answers the whole webhook. 404 for an unknown slug or deployment, 422 and 503 as {@link createWebhook}. */
export const updateWebhook = endpoint({
  id: "update_webhook",
  method: "PATCH",
  path: "/webhooks/:slug",
  tag: "Webhooks",
  summary: "Change a webhook.",
  params: bySlug,
  body: WebhookUpdate,
  returns: Webhook,
});
/** Deliveries are answered 404 from then on. 404 for an unknown slug. */
export const deleteWebhook = endpoint({
  id: "delete_webhook",
  method: "DELETE",
  path: "/webhooks/:slug",
  tag: "Webhooks",
  status: 204,
  summary: "Delete a webhook and its deliveries.",
  params: bySlug,
});
/** Needs the role operator, unlike other lists. 404 for an unknown slug. */
export const filterWebhookDeliveries = endpoint({
  id: "filter_webhook_deliveries",
  method: "POST",
  path: "/webhooks/:slug/deliveries/filter",
  tag: "Webhooks",
  summary: "List the last deliveries of a webhook, the newest first.",
  params: bySlug,
  body: Paging,
  returns: z.array(WebhookDelivery),
});
/**
 * 404 for an unknown webhook or delivery; 409 for a webhook that is not active, a delivery whose sender did not prove
 * itself, or one that starts no run; otherwise what making a run of the deployment fails with.
 */
export const resendWebhookDelivery = endpoint({
  id: "resend_webhook_delivery",
  method: "POST",
  path: "/webhooks/:slug/deliveries/:id/resend",
  tag: "Webhooks",
  status: 202,
  summary: "Take a delivery as if it had come again: another run is started.",
  params: z.object({ slug: z.string(), id: Uuid }),
  returns: WebhookAccepted,
});
