/** `sluice webhook update`: switches a webhook on or off, or changes its secrets. */
import { createClient } from "../../../client/api-client.ts";
import { updateWebhook } from "../../../protocol/webhooks.ts";
import { defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { EXIT } from "../../exit-codes.ts";
import { flag, repeated, text } from "../../parameters.ts";
import { slugArgument, webhookFields } from "./fields.ts";

export const webhookUpdate = defineCommand({
  noun: "webhook",
  verb: "update",
  summary: "Switch a webhook on or off, or change its secrets.",
  arguments: { slug: slugArgument() },
  options: {
    on: flag("Take deliveries."),
    off: flag("Refuse deliveries."),
    secret: repeated(text("A secret, in place of those there are; the new one first, then the one it replaces.")),
  },
  examples: [
    "sluice webhook update github-pushes --off",
    "sluice webhook update github-pushes --secret NEW --secret OLD",
  ],
  async run({ arguments: { slug }, options: { on, off, secret }, connection, output }) {
    if (on && off) {
      throw new CliError("A webhook is either on or off.", {
        fix: "Give one of --on and --off.",
        code: "usage",
        exitCode: EXIT.usage,
      });
    }
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const active = on || off ? { active: on } : {};
    const secrets = secret.length === 0 ? {} : { secrets: secret };
    const webhook = await client.call(updateWebhook, { params: { slug }, body: { ...active, ...secrets } });
    output.item(webhook, webhookFields(client.url));
    return undefined;
  },
});
