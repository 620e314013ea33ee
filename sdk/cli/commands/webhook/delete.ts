/** `sluice webhook delete`: its address starts no runs any more. */
import { createClient } from "../../../client/api-client.ts";
import { deleteWebhook } from "../../../protocol/webhooks.ts";
import { defineCommand } from "../../command.ts";
import { slugArgument } from "./fields.ts";

export const webhookDelete = defineCommand({
  noun: "webhook",
  verb: "delete",
  summary: "Delete a webhook and its deliveries.",
  arguments: { slug: slugArgument() },
  options: {},
  examples: ["sluice webhook delete github-pushes"],
  async run({ arguments: { slug }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    await client.call(deleteWebhook, { params: { slug } });
    output.event({ event: "deleted", slug }, `The webhook "${slug}" was deleted.`);
    return undefined;
  },
});
