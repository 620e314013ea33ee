/** `sluice webhook update`: changes what is said of a webhook, and leaves the rest as it is. */
import { type ApiClient, createClient } from "../../../client/api-client.ts";
import { readDeploymentByName } from "../../../protocol/deployments.ts";
import { readWebhook, updateWebhook, type WebhookVerification } from "../../../protocol/webhooks.ts";
import { defineCommand } from "../../command.ts";
import { deploymentName } from "../../deployment-name.ts";
import { choice, flag, repeated, text, type Values } from "../../parameters.ts";
import { slugArgument, webhookFields } from "./fields.ts";
import { misused, SETTINGS, SIGNATURE, settingsOf, signatureOption, verificationOf, WAYS } from "./options.ts";

export const webhookUpdate = defineCommand({
  noun: "webhook",
  verb: "update",
  summary: "Change a webhook; what is not said stays as it is.",
  arguments: { slug: slugArgument() },
  options: {
    on: flag("Take deliveries."),
    off: flag("Refuse deliveries."),
    deployment: deploymentName("Whose runs it starts from now on, as flow/deployment."),
    verify: choice("How its sender proves itself.", WAYS),
    secret: repeated(text("A secret, in place of those there are; the new one first, then the one it replaces.")),
    ...SETTINGS,
    ...SIGNATURE,
  },
  examples: [
    "sluice webhook update github-pushes --off",
    "sluice webhook update github-pushes --secret NEW --secret OLD",
    'sluice webhook update github-pushes --parameters \'{"commit": "{{ body.after }}"}\' --max-body 1000000',
    "sluice webhook update shopify --encoding hex --deployment shop/orders",
  ],
  async run({ arguments: { slug }, options, connection, output }) {
    const { on, off, secret, deployment } = options;
    if (on && off) throw misused("A webhook is either on or off.", "Give one of --on and --off.");
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const settings = settingsOf(options);
    const verification = await verificationChange(client, slug, options.verify, options);
    const deploymentId =
      deployment === undefined ? null : (await client.call(readDeploymentByName, { params: deployment })).id;
    const webhook = await client.call(updateWebhook, {
      params: { slug },
      body: {
        ...settings,
        ...(on || off ? { active: on } : {}),
        ...(secret.length === 0 ? {} : { secrets: secret }),
        ...(verification === null ? {} : { verification }),
        ...(deploymentId === null ? {} : { deployment_id: deploymentId }),
      },
    });
    output.item(webhook, webhookFields(client.url));
    return undefined;
  },
});

/** Null when nothing is said of it. */
async function verificationChange(
  client: ApiClient,
  slug: string,
  way: (typeof WAYS)[number] | undefined,
  how: Values<typeof SIGNATURE>,
): Promise<WebhookVerification | null> {
  if (way !== undefined && way !== "hmac") return verificationOf(way, how);
  if (way === undefined && signatureOption(how) === null) return null;
  const { verification: before } = await client.call(readWebhook, { params: { slug } });
  return verificationOf(way ?? before.type, how, before);
}
