/** Block types for messages to channels. */
import { z } from "zod";
import { defineBlock } from "./define-block.ts";
import { notifier, said, withSubject } from "./notifier.ts";

export const httpUrl = z.url({ protocol: /^https?$/ });
/** Taken for Prefect's sake; nothing here depends on it. */
export const notifyType = z.enum(["info", "success", "warning", "failure"]).default("info");
const taken = { notify_type: notifyType, allow_private_urls: z.boolean().default(true) };

/** Messages to a channel of Slack: `await (await slackWebhook.load("ops")).notify("done", "Nightly")`. */
export const slackWebhook = defineBlock({
  slug: "slack-webhook",
  name: "Slack Webhook",
  schema: z.object({ url: httpUrl, ...taken }),
  secrets: ["url"],
  open: ({ url }) =>
    notifier((body, subject) => [{ url, json: { text: subject === null ? body : `*${subject}*\n${body}` } }]),
});

/** Messages to a channel of Microsoft Teams, by the address of a workflow. */
export const teamsWebhook = defineBlock({
  slug: "ms-teams-webhook",
  name: "Microsoft Teams Webhook",
  schema: z.object({
    url: httpUrl,
    include_image: z.boolean().default(true),
    wrap: z.boolean().default(true),
    ...taken,
  }),
  secrets: ["url"],
  open: ({ url, wrap }) =>
    notifier((body, subject) => {
      const title = { type: "TextBlock", text: subject, style: "heading", weight: "Bolder", size: "Large", wrap };
      const content = {
        $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
        type: "AdaptiveCard",
        version: "1.4",
        body: [...(subject === null ? [] : [title]), { type: "TextBlock", text: body, wrap }],
      };
      const card = { contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null, content };
      return [{ url, json: { type: "message", attachments: [card] } }];
    }),
});

/** Discord takes no more in one message. */
const DISCORD_CHARS = 2_000;

/** Messages to a channel of Discord; long ones in several parts. */
export const discordWebhook = defineBlock({
  slug: "discord-webhook",
  name: "Discord Webhook",
  schema: z.object({
    webhook_id: z.string(),
    webhook_token: z.string(),
    botname: z.string().nullish(),
    tts: z.boolean().default(false),
    include_image: z.boolean().default(false),
    avatar: z.boolean().default(false),
    avatar_url: z.string().nullish(),
    notify_type: notifyType,
  }),
  secrets: ["webhook_id", "webhook_token"],
  open: ({ webhook_id: id, webhook_token: token, botname, tts, avatar_url }) =>
    notifier((body, subject) => {
      const text = withSubject(body, subject === null ? null : `**${subject}**`);
      const parts = text.match(new RegExp(`[^]{1,${DISCORD_CHARS}}`, "g")) ?? [];
      return parts.map((content) => ({
        url: `https://discord.com/api/webhooks/${id}/${token}`,
        json: said({ content, tts, username: botname, avatar_url }),
      }));
    }),
});

/** Messages to channels of a Mattermost server; to the webhook's own where none is named. */
export const mattermostWebhook = defineBlock({
  slug: "mattermost-webhook",
  name: "Mattermost Webhook",
  schema: z.object({
    hostname: z.string().min(1),
    secure: z.boolean().default(false),
    token: z.string(),
    botname: z.string().nullish(),
    channels: z.array(z.string()).nullish(),
    include_image: z.boolean().default(false),
    path: z.string().nullish(),
    port: z.int().default(8065),
    notify_type: notifyType,
  }),
  secrets: ["token"],
  open: ({ hostname, secure, token, botname, channels, path, port }) =>
    notifier((body, subject) => {
      const folder = (path ?? "").replace(/^\/+|\/+$/g, "");
      const url = `${secure ? "https" : "http"}://${hostname}:${port}/${folder === "" ? "" : `${folder}/`}hooks/${token}`;
      const text = withSubject(body, subject === null ? null : `**${subject}**`);
      const targets = channels?.length ? channels : [null];
      return targets.map((channel) => ({
        url,
        json: said({ text, username: botname, channel: channel?.replace(/^#/, "") }),
      }));
    }),
});
