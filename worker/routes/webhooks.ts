import { notFound, SluiceError } from "#protocol/errors";
import { LIMITS } from "#protocol/limits";
import * as api from "#protocol/webhooks";
import { deliveryById, listDeliveries } from "../db/queries/webhook-deliveries.ts";
import * as queries from "../db/queries/webhooks.ts";
import { type App, serve } from "../serve.ts";
import { alterWebhook, makeWebhook, toWebhook } from "../webhooks/configure.ts";
import { resend } from "../webhooks/receive.ts";

export function webhookRoutes(app: App): void {
  serve(
    app,
    api.createWebhook,
  )(async ({ env, body }) => {
    const webhook = await makeWebhook(env, body);
    if (webhook) return webhook;
    throw new SluiceError("conflict", `There is a webhook "${body.slug}" already.`, {
      fix: "Choose another slug, or change the webhook that is there.",
    });
  });
  serve(
    app,
    api.filterWebhooks,
  )(async ({ env, body }) => {
    const page = { limit: body.limit ?? LIMITS.pageRows, offset: body.offset ?? 0 };
    return (await queries.listWebhooks(env, body.deployment_id ?? null, page)).map(toWebhook);
  });
  serve(app, api.readWebhook)(async ({ env, params }) => toWebhook(await requireWebhook(env, params.slug)));
  serve(
    app,
    api.updateWebhook,
  )(async ({ env, params, body }) => {
    const webhook = await alterWebhook(env, await requireWebhook(env, params.slug), body);
    if (!webhook) throw unknown(params.slug);
    return webhook;
  });
  serve(
    app,
    api.deleteWebhook,
  )(async ({ env, params }) => {
    if (!(await queries.deleteWebhook(env, params.slug))) throw unknown(params.slug);
    return undefined;
  });
  serve(
    app,
    api.filterWebhookDeliveries,
  )(async ({ env, params, body }) => {
    const { id } = await requireWebhook(env, params.slug);
    return listDeliveries(env, id, { limit: body.limit ?? LIMITS.pageRows, offset: body.offset ?? 0 });
  });
  serve(
    app,
    api.resendWebhookDelivery,
  )(async ({ env, params }) => {
    const webhook = await requireWebhook(env, params.slug);
    const delivery = await deliveryById(env, webhook.id, params.id);
    if (!delivery) throw notFound("Webhook delivery", params.id);
    const received = await resend(env, webhook, delivery);
    if ("accepted" in received) return received.accepted;
    throw new SluiceError("conflict", "This delivery was a question of the provider, which starts no run.", {
      fix: "Send one again that was accepted.",
    });
  });
}

async function requireWebhook(env: Env, slug: string): Promise<queries.WebhookRow> {
  const webhook = await queries.webhookBySlug(env, slug);
  if (!webhook) throw unknown(slug);
  return webhook;
}

function unknown(slug: string): SluiceError {
  return notFound("Webhook", `"${slug}"`);
}
