/** Makes and changes webhooks: what may be said together, and what is kept of it. */
import { SluiceError } from "#protocol/errors";
import type { DeploymentId } from "#protocol/ids";
import { type EpochMs, toWireTime } from "#protocol/time";
import type { Webhook, WebhookCreate, WebhookUpdate, WebhookVerification } from "#protocol/webhooks";
import * as deployments from "../db/queries/deployments.ts";
import * as queries from "../db/queries/webhooks.ts";
import { newId } from "../new-id.ts";
import { unknownPlaceholder } from "./render.ts";
import { sealSecrets } from "./secrets.ts";
import { decodeSignature, toHex } from "./signature.ts";

const REPLAY_WINDOW_SECONDS = 300;
const MAX_BODY_BYTES = 262_144;
/** 80 bits: nobody finds such an address by trying. */
const SLUG_BYTES = 10;

/** Null when the slug is taken. */
export async function makeWebhook(env: Env, request: WebhookCreate): Promise<Webhook | null> {
  const { verification } = request;
  const secrets = request.secrets ?? [];
  await requireSound(env, request, { verification, secretsCount: secrets.length });
  const id = newId();
  const now = Date.now();
  const row: queries.WebhookRow = {
    slug: request.slug ?? toHex(crypto.getRandomValues(new Uint8Array(SLUG_BYTES))),
    id,
    deploymentId: request.deployment_id,
    active: request.active ?? true,
    doc: {
      verification,
      parameters: request.parameters ?? {},
      idempotencyKey: request.idempotency_key ?? null,
      tags: request.tags ?? [],
      replayWindowSeconds: request.replay_window_seconds ?? REPLAY_WINDOW_SECONDS,
      maxBodyBytes: request.max_body_bytes ?? MAX_BODY_BYTES,
    },
    ...(await sealSecrets(env, id, secrets)),
    created: now,
    updated: now,
  };
  return (await queries.insertWebhook(env, row)) ? toWebhook(row) : null;
}

/** Null when there is no such webhook any more. */
export async function alterWebhook(
  env: Env,
  known: queries.WebhookRow,
  change: WebhookUpdate,
): Promise<Webhook | null> {
  const verification = change.verification ?? known.doc.verification;
  const secretsCount = change.secrets?.length ?? known.secretsCount;
  await requireSound(env, change, { verification, secretsCount });
  const row = await queries.changeWebhook(env, known, {
    ...(change.deployment_id != null ? { deploymentId: change.deployment_id } : {}),
    ...(change.active != null ? { active: change.active } : {}),
    ...(change.secrets != null ? await sealSecrets(env, known.id, change.secrets) : {}),
    doc: {
      verification,
      parameters: change.parameters ?? known.doc.parameters,
      idempotencyKey: change.idempotency_key === undefined ? known.doc.idempotencyKey : change.idempotency_key,
      tags: change.tags ?? known.doc.tags,
      replayWindowSeconds: change.replay_window_seconds ?? known.doc.replayWindowSeconds,
      maxBodyBytes: change.max_body_bytes ?? known.doc.maxBodyBytes,
    },
    updated: Date.now(),
  });
  return row && toWebhook(row);
}

export function toWebhook(row: queries.WebhookRow): Webhook {
  const { doc } = row;
  return {
    id: row.id,
    created: toWireTime(row.created as EpochMs),
    updated: toWireTime(row.updated as EpochMs),
    slug: row.slug,
    path: `/hooks/${row.slug}`,
    deployment_id: row.deploymentId as DeploymentId,
    active: row.active,
    verification: doc.verification,
    secrets: row.secretsCount,
    parameters: doc.parameters,
    idempotency_key: doc.idempotencyKey,
    tags: [...doc.tags],
    replay_window_seconds: doc.replayWindowSeconds,
    max_body_bytes: doc.maxBodyBytes,
  };
}

async function requireSound(
  env: Env,
  said: WebhookUpdate,
  then: { readonly verification: WebhookVerification; readonly secretsCount: number },
): Promise<void> {
  const { type } = then.verification;
  if (type !== "none" && then.secretsCount === 0) {
    throw wrong("secrets", `is empty; verification by ${type} needs one`);
  }
  const unusable = said.secrets?.some((secret) => decodeSignature(secret.replace(/^whsec_/, ""), "base64") === null);
  if (type === "standard" && unusable) {
    throw wrong("secrets", "holds one that is no base64 behind whsec_, as Standard Webhooks has it");
  }
  for (const field of ["parameters", "idempotency_key"] as const) {
    const placeholder = unknownPlaceholder(said[field] ?? null);
    if (placeholder !== null) {
      throw wrong(field, `holds ${placeholder}; a placeholder is {{ body.… }}, {{ headers.… }} or {{ query.… }}`);
    }
  }
  if (said.idempotency_key != null && !/\{\{.*\}\}/s.test(said.idempotency_key)) {
    throw wrong("idempotency_key", "holds no placeholder, so that all deliveries would be the same message");
  }
  if (said.deployment_id != null && !(await deployments.deploymentById(env, said.deployment_id))) {
    throw new SluiceError("not_found", `Deployment ${said.deployment_id} was not found.`, {
      fix: "Deploy first, then make the webhook: sluice deployment ls",
    });
  }
}

function wrong(field: string, message: string): SluiceError {
  return new SluiceError("validation", `Field ${field} ${message}.`, {
    fix: "See docs/webhooks.md for what each provider needs.",
    issues: [{ loc: ["body", field], msg: message, type: "invalid" }],
  });
}
