/** `sluice webhook ls`: the addresses at which deliveries start runs. */
import { createClient } from "../../../client/api-client.ts";
import { filterWebhooks } from "../../../protocol/webhooks.ts";
import { defineCommand } from "../../command.ts";
import { integer, withDefault } from "../../parameters.ts";

export const webhookLs = defineCommand({
  noun: "webhook",
  verb: "ls",
  summary: "List webhooks.",
  arguments: {},
  options: { limit: withDefault(integer("How many at most.", { min: 1, max: 200 }), 50) },
  examples: ["sluice webhook ls"],
  async run({ options: { limit }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    output.list(
      await client.call(filterWebhooks, { body: { limit } }, { idempotent: true }),
      [
        { title: "SLUG", value: (webhook) => webhook.slug },
        { title: "VERIFICATION", value: ({ verification }) => verification.type },
        { title: "ACTIVE", value: ({ active }) => (active ? "yes" : "no") },
        { title: "DEPLOYMENT", value: (webhook) => webhook.deployment_id },
      ],
      "There is no webhook. Make one: sluice webhook create FLOW/DEPLOYMENT --verify github",
    );
    return undefined;
  },
});
