/** `sluice webhook create`: an address at which somebody else's system starts runs. */
import { createClient } from "../../../client/api-client.ts";
import { readDeploymentByName } from "../../../protocol/deployments.ts";
import { JsonObject } from "../../../protocol/flow-runs.ts";
import { createWebhook, type WebhookCreate } from "../../../protocol/webhooks.ts";
import { defineCommand } from "../../command.ts";
import { deploymentArgument } from "../../deployment-name.ts";
import { CliError } from "../../errors.ts";
import { EXIT } from "../../exit-codes.ts";
import { choice, integer, json, repeated, required, text } from "../../parameters.ts";
import { webhookFields } from "./fields.ts";

const WAYS = ["github", "stripe", "slack", "standard", "hmac", "bearer", "none"] as const;

export const webhookCreate = defineCommand({
  noun: "webhook",
  verb: "create",
  summary: "Make an address at which deliveries start runs of a deployment.",
  arguments: { deployment: deploymentArgument() },
  options: {
    verify: required(choice("How its sender proves itself.", WAYS)),
    secret: text("The secret that is shared with the sender.", { env: "SLUICE_WEBHOOK_SECRET" }),
    slug: text("The end of its address. Default: one that nobody guesses.", { placeholder: "slug" }),
    parameters: json('Parameters of its runs, such as {"order": "{{ body.order.id }}"}.'),
    key: text("What tells deliveries apart, such as {{ body.id }}.", { placeholder: "template" }),
    tag: repeated(text("A tag of its runs; may be given several times.", { placeholder: "tag" })),
    window: integer("Seconds for which a signature counts. Default: 300.", { min: 1, max: 86_400 }),
    header: text("With hmac: the header with the signature.", { placeholder: "name" }),
    algorithm: choice("With hmac: the hash. Default: sha256.", ["sha256", "sha1", "sha512"]),
    encoding: choice("With hmac: how the signature is written. Default: hex.", ["hex", "base64"]),
    prefix: text("With hmac: what stands before the signature, such as sha256=."),
    timestampHeader: text("With hmac: the header with the Unix time that is signed before the body.", {
      placeholder: "name",
    }),
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
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const { id } = await client.call(readDeploymentByName, { params: deployment });
    const webhook = await client.call(createWebhook, {
      body: {
        deployment_id: id,
        verification: verificationOf(options),
        secrets: options.secret === undefined ? [] : [options.secret],
        slug: options.slug ?? null,
        parameters: objectOf(options.parameters),
        idempotency_key: options.key ?? null,
        tags: options.tag,
        replay_window_seconds: options.window ?? null,
      },
    });
    output.item(webhook, webhookFields(client.url));
    return undefined;
  },
});

interface HmacOptions {
  readonly verify: (typeof WAYS)[number];
  readonly header: string | undefined;
  readonly algorithm: "sha256" | "sha1" | "sha512" | undefined;
  readonly encoding: "hex" | "base64" | undefined;
  readonly prefix: string | undefined;
  readonly timestampHeader: string | undefined;
}

function verificationOf({ verify: type, ...how }: HmacOptions): WebhookCreate["verification"] {
  if (type !== "hmac") return { type };
  if (how.header === undefined) throw misused("Verification by hmac needs to know the header.", "Add --header NAME.");
  return {
    type,
    header: how.header,
    algorithm: how.algorithm ?? "sha256",
    encoding: how.encoding ?? "hex",
    prefix: how.prefix ?? "",
    timestamp_header: how.timestampHeader ?? null,
  };
}

function objectOf(given: unknown): JsonObject {
  const read = JsonObject.safeParse(given ?? {});
  if (read.success) return read.data;
  throw misused("The parameters are no JSON object.", "Give an object, with a key for each parameter.");
}

function misused(message: string, fix: string): CliError {
  return new CliError(message, { fix, code: "usage", exitCode: EXIT.usage });
}
