/** `sluice webhook create`: an address at which somebody else's system starts runs. */
import { createClient } from "../../../client/api-client.ts";
import { readDeploymentByName } from "../../../protocol/deployments.ts";
import { createWebhook } from "../../../protocol/webhooks.ts";
import { defineCommand } from "../../command.ts";
import { deploymentArgument } from "../../deployment-name.ts";
import { choice, required, text } from "../../parameters.ts";
import { webhookFields } from "./fields.ts";
import { misused, SETTINGS, SIGNATURE, settingsOf, verificationOf, WAYS } from "./options.ts";

export const webhookCreate = defineCommand({
  noun: "webhook",
  verb: "create",
  summary: "Make an address at which deliveries start runs of a deployment.",
  arguments: { deployment: deploymentArgument() },
  options: {
    verify: required(choice("How its sender proves itself.", WAYS)),
    secret: text("The secret that is shared with the sender.", { env: "SLUICE_WEBHOOK_SECRET" }),
    slug: text("The end of its address. Default: one that nobody guesses.", { placeholder: "slug" }),
    ...SETTINGS,
    ...SIGNATURE,
  },
  examples: [
    'SLUICE_WEBHOOK_SECRET=… sluice webhook create etl/daily --verify github --parameters \'{"repo": "{{ body.repository.full_name }}"}\'',
    "sluice webhook create etl/daily --verify hmac --header x-shopify-hmac-sha256 --encoding base64",
  ],
  async run({ arguments: { deployment }, options, connection, output }) {
    if (options.verify !== "none" && options.secret === undefined) {
      throw misused(
        `Verification by ${options.verify} needs the secret that is shared with the sender.`,
        "Set SLUICE_WEBHOOK_SECRET, or give --secret TEXT.",
      );
    }
    const verification = verificationOf(options.verify, options);
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const { id } = await client.call(readDeploymentByName, { params: deployment });
    const webhook = await client.call(createWebhook, {
      body: {
        ...settingsOf(options),
        deployment_id: id,
        verification,
        secrets: options.secret === undefined ? [] : [options.secret],
        slug: options.slug ?? null,
      },
    });
    output.item(webhook, webhookFields(client.url));
    return undefined;
  },
});
