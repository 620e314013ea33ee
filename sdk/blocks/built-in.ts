/** Block types that come with the package. Slugs and fields are Prefect's, so both kinds of programs share blocks. */
import { z } from "zod";
import { defineBlock } from "./define-block.ts";

const url = z.url({ protocol: /^https?$/ });

/** One secret value, of any kind that JSON has: `(await secret.load("name")).get()`. */
export const secret = defineBlock({
  slug: "secret",
  schema: z.object({ value: z.json() }),
  secrets: ["value"],
  open: ({ value }) => ({ get: () => value }),
});

/** An HTTP address that is called with a payload. */
export const webhook = defineBlock({
  slug: "webhook",
  schema: z.object({
    method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]).default("POST"),
    url,
    headers: z.record(z.string(), z.string()).default({}),
  }),
  secrets: ["url", "headers"],
  open: ({ method, url: address, headers }) => ({
    /** Answers whatever is answered. The payload is sent as JSON. */
    call: (payload?: unknown): Promise<Response> =>
      fetch(address, {
        method,
        headers: payload === undefined ? headers : { "content-type": "application/json", ...headers },
        ...(payload === undefined ? {} : { body: JSON.stringify(payload) }),
      }),
  }),
});

/** Messages to a channel of Slack. */
export const slackWebhook = defineBlock({
  slug: "slack-webhook",
  name: "Slack Webhook",
  schema: z.object({ url }),
  secrets: ["url"],
  open: ({ url: address }) => notifier((text) => [address, { text }]),
});

/** Messages to a channel of Microsoft Teams. */
export const teamsWebhook = defineBlock({
  slug: "ms-teams-webhook",
  name: "Microsoft Teams Webhook",
  schema: z.object({ url }),
  secrets: ["url"],
  open: ({ url: address }) => notifier((text) => [address, { text }]),
});

/** Messages to a channel of Discord. */
export const discordWebhook = defineBlock({
  slug: "discord-webhook",
  name: "Discord Webhook",
  schema: z.object({ webhook_id: z.string(), webhook_token: z.string() }),
  secrets: ["webhook_id", "webhook_token"],
  open: ({ webhook_id: id, webhook_token: token }) =>
    notifier((content) => [`https://discord.com/api/webhooks/${id}/${token}`, { content }]),
});

/** Incidents of PagerDuty. */
export const pagerDutyWebhook = defineBlock({
  slug: "pager-duty-webhook",
  name: "Pager Duty Webhook",
  schema: z.object({
    integration_key: z.string(),
    api_key: z.string(),
    source: z.string().default("Sluice"),
    severity: z.enum(["critical", "error", "warning", "info"]).default("error"),
  }),
  secrets: ["integration_key", "api_key"],
  open: ({ integration_key, source, severity }) =>
    notifier((summary) => [
      "https://events.pagerduty.com/v2/enqueue",
      { routing_key: integration_key, event_action: "trigger", payload: { summary, source, severity } },
    ]),
});

/** Credentials for AWS and what speaks its protocols. */
export const awsCredentials = defineBlock({
  slug: "aws-credentials",
  name: "AWS Credentials",
  schema: z.object({
    aws_access_key_id: z.string().nullish(),
    aws_secret_access_key: z.string().nullish(),
    aws_session_token: z.string().nullish(),
    region_name: z.string().nullish(),
  }),
  secrets: ["aws_secret_access_key", "aws_session_token"],
});

/** Tells people something. */
interface Notifier {
  /** Throws when the message was not taken. */
  notify(text: string): Promise<void>;
}

function notifier(request: (text: string) => readonly [address: string, body: unknown]): Notifier {
  return {
    async notify(text) {
      const [address, body] = request(text);
      const response = await fetch(address, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      // The address is a secret, so the error does not tell it.
      if (!response.ok)
        throw new Error(`The message was not taken: ${response.status} ${await response.text()}`.trim());
    },
  };
}
