/** `sluice webhook deliveries`: what came to a webhook last, and what became of it. */
import { createClient } from "../../../client/api-client.ts";
import { filterWebhookDeliveries } from "../../../protocol/webhooks.ts";
import { defineCommand } from "../../command.ts";
import { wholeSeconds } from "../../flow-run-columns.ts";
import { integer, withDefault } from "../../parameters.ts";
import { slugArgument } from "./fields.ts";

export const webhookDeliveries = defineCommand({
  noun: "webhook",
  verb: "deliveries",
  summary: "List the last deliveries of a webhook, the newest first.",
  arguments: { slug: slugArgument() },
  options: { limit: withDefault(integer("How many at most.", { min: 1, max: 70 }), 20) },
  examples: ["sluice webhook deliveries github-pushes", "sluice webhook deliveries github-pushes --output json"],
  async run({ arguments: { slug }, options: { limit }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    output.list(
      await client.call(filterWebhookDeliveries, { params: { slug }, body: { limit } }, { idempotent: true }),
      [
        { title: "ID", value: (delivery) => delivery.id },
        { title: "CAME", value: (delivery) => wholeSeconds(delivery.created) },
        { title: "VERDICT", value: (delivery) => delivery.verdict },
        { title: "STATUS", value: (delivery) => delivery.status },
        { title: "RUN OR REASON", value: (delivery) => delivery.flow_run_id ?? delivery.reason },
      ],
      "Nothing came yet.",
    );
    return undefined;
  },
});
