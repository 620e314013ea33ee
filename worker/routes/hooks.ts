/** `POST /hooks/:slug`: where other people's systems deliver. Outside the API, since it takes no key of ours. */
import { notFound, SluiceError } from "#protocol/errors";
import { webhookBySlug } from "../db/queries/webhooks.ts";
import type { App } from "../serve.ts";
import { receive } from "../webhooks/receive.ts";

export function hookRoutes(app: App): void {
  app.post("/hooks/:slug", async (c) => {
    const slug = c.req.param("slug");
    const webhook = await webhookBySlug(c.env, slug);
    if (!webhook) throw notFound("Webhook", `"${slug}"`);
    const received = await receive(c.env, webhook, c.req.raw);
    return "accepted" in received ? c.json(received.accepted, 202) : c.text(received.answer);
  });
  app.all("/hooks/*", (c) => {
    if (c.req.method === "POST") throw notFound("Webhook", `at ${c.req.path}`);
    const error = new SluiceError("method_not_allowed", `There is no ${c.req.method} ${c.req.path}.`, {
      fix: "Send deliveries by POST.",
    });
    return Response.json(error.toBody(), { status: error.status, headers: { allow: "POST" } });
  });
}
