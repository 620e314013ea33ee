/** Takes a delivery: checks who sends it, makes parameters of it, starts the run, and keeps what became of it. */
import { SluiceError } from "#protocol/errors";
import { FlowRunPolicy } from "#protocol/flow-runs";
import type { DeploymentId, FlowRunId } from "#protocol/ids";
import { type EpochMs, toWireTime } from "#protocol/time";
import type { WebhookAccepted, WebhookDelivery } from "#protocol/webhooks";
import { clock } from "../../durable-objects/clock.ts";
import { keepDelivery } from "../db/queries/webhook-deliveries.ts";
import type { WebhookRow } from "../db/queries/webhooks.ts";
import { newId } from "../new-id.ts";
import { runDeployment } from "../run-deployment.ts";
import { handshake } from "./handshake.ts";
import { renderObject, renderText, type Source } from "./render.ts";
import { readBounded, shownHeaders, sourceOf } from "./request.ts";
import { openSecrets } from "./secrets.ts";
import { toHex } from "./signature.ts";
import { verify } from "./verify.ts";

/** A delivery of which nothing is decided. */
type Draft = Pick<WebhookDelivery, "headers" | "query" | "body" | "is_verified" | "resent_from">;

/** What a delivery came to: a run, or an answer that starts none. */
export type Received = { readonly accepted: WebhookAccepted } | { readonly answer: string };

/** Throws for what is refused, after it was kept. */
export async function receive(env: Env, webhook: WebhookRow, request: Request): Promise<Received> {
  const { verification, maxBodyBytes, replayWindowSeconds } = webhook.doc;
  const draft: Draft = {
    headers: shownHeaders(request.headers, verification.type === "hmac" ? verification.header : null),
    query: Object.fromEntries(new URL(request.url).searchParams),
    body: null,
    is_verified: false,
    resent_from: null,
  };
  const refuse = (error: SluiceError) => keptRefusal(env, webhook, draft, error);
  if (!webhook.active) throw await refuse(inactive(webhook.slug));
  const body = await readBounded(request, maxBodyBytes);
  if (body === null) throw await refuse(tooLarge(maxBodyBytes));
  const proof = await verify(
    { headers: request.headers, body },
    {
      verification,
      secrets: await openSecrets(env, webhook),
      nowMs: clock.now(),
      replayWindowMs: replayWindowSeconds * 1_000,
    },
  );
  if (!proof.ok) throw await refuse(unproven(proof.reason));
  const text = asText(body);
  if (text === null) throw await refuse(notText());
  return settle(env, webhook, { ...draft, body: text, is_verified: true }, (source) =>
    webhook.doc.idempotencyKey === null ? proof.key : renderText(webhook.doc.idempotencyKey, source) || null,
  );
}

/** Takes a kept delivery once more, as another message. */
export async function resend(env: Env, webhook: WebhookRow, kept: WebhookDelivery): Promise<Received> {
  if (!kept.is_verified || kept.body === null) {
    throw new SluiceError("conflict", "The sender of this delivery did not prove itself, so it cannot be sent again.", {
      fix: "Have its sender send it again, with a signature that is valid.",
    });
  }
  const { headers, query, body } = kept;
  const draft: Draft = { headers, query, body, is_verified: true, resent_from: kept.id };
  if (!webhook.active) throw await keptRefusal(env, webhook, draft, inactive(webhook.slug));
  return settle(env, webhook, draft, () => null);
}

async function settle(
  env: Env,
  webhook: WebhookRow,
  draft: Draft,
  keyOf: (source: Source) => string | null,
): Promise<Received> {
  try {
    const { headers, query } = draft;
    const source = sourceOf({ headers, query, body: draft.body ?? "" });
    const answer = handshake(webhook.doc.verification, source);
    if (answer !== null) {
      await keep(env, webhook, draft, { verdict: "answered", status: 200, reason: answer.reason, run: null });
      return { answer: answer.text };
    }
    const { run, isNew } = await start(env, webhook, source, keyOf(source));
    // The run is stored: should the rest fail, the sender comes again and is told of the same run.
    const verdict = isNew ? "accepted" : "duplicate";
    const id = await keep(env, webhook, draft, { verdict, status: 202, reason: null, run });
    return { accepted: { flow_run_id: run, delivery_id: id, duplicate: !isNew } };
  } catch (error) {
    if (!(error instanceof SluiceError) || error.status >= 500) throw error;
    throw await keptRefusal(env, webhook, draft, error);
  }
}

async function start(
  env: Env,
  webhook: WebhookRow,
  source: Source,
  key: string | null,
): Promise<{ run: FlowRunId; isNew: boolean }> {
  const { parameters, tags } = webhook.doc;
  const made = await runDeployment(
    env,
    webhook.deploymentId as DeploymentId,
    {
      parameters: renderObject(parameters, source),
      // Whatever the deployment says: what comes from outside is looked at.
      enforce_parameter_schema: true,
      tags: [...tags],
      context: {},
      labels: { "sluice.webhook": webhook.slug },
      idempotency_key: key === null ? null : `webhook:${webhook.id}:${await digest(key)}`,
      empirical_policy: FlowRunPolicy.parse({}),
    },
    { id: webhook.id, type: "WEBHOOK", display_value: webhook.slug },
  );
  return { run: made.run.id, isNew: made.created };
}

async function keptRefusal(env: Env, webhook: WebhookRow, draft: Draft, error: SluiceError): Promise<SluiceError> {
  await keep(env, webhook, draft, { verdict: "refused", status: error.status, reason: error.message, run: null });
  return error;
}

async function keep(
  env: Env,
  webhook: WebhookRow,
  draft: Draft,
  outcome: Pick<WebhookDelivery, "verdict" | "status" | "reason"> & { readonly run: FlowRunId | null },
): Promise<string> {
  const { run, ...rest } = outcome;
  const id = newId();
  const created = toWireTime(clock.now() as EpochMs);
  await keepDelivery(env, webhook.id, { id, created, ...draft, ...rest, flow_run_id: run });
  return id;
}

/** Keys have bounds, and what senders sign has none. */
async function digest(key: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key))));
}

function asText(body: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(body);
  } catch {
    // Not UTF-8: the caller says so.
    return null;
  }
}

function inactive(slug: string): SluiceError {
  return new SluiceError("conflict", `The webhook "${slug}" is not active.`, {
    fix: `Make it active again: sluice webhook update ${slug} --on`,
  });
}

function tooLarge(maxBytes: number): SluiceError {
  return new SluiceError("payload_too_large", `The body is larger than the ${maxBytes} bytes that are allowed.`, {
    fix: "Send less, or raise max_body_bytes of the webhook.",
  });
}

function unproven(reason: string): SluiceError {
  return new SluiceError("unauthorized", reason, {
    fix: "Compare the secret, the headers and the clock of the sender with what the webhook was made with.",
  });
}

function notText(): SluiceError {
  return new SluiceError("bad_request", "The body is not text in UTF-8.", { fix: "Send JSON in UTF-8." });
}
