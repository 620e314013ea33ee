/** `sluice webhook inspect`: all there is to know of one webhook, but its secrets. */
import { createClient } from "../../../client/api-client.ts";
import { readWebhook } from "../../../protocol/webhooks.ts";
import { defineCommand } from "../../command.ts";
import { slugArgument, webhookFields } from "./fields.ts";

export const webhookInspect = defineCommand({
  noun: "webhook",
  verb: "inspect",
  summary: "Show one webhook.",
  arguments: { slug: slugArgument() },
  options: {},
  examples: ["sluice webhook inspect github-pushes"],
  async run({ arguments: { slug }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    output.item(await client.call(readWebhook, { params: { slug } }), webhookFields(client.url));
    return undefined;
  },
});
