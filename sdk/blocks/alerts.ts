/** Block types for those who are woken up: incidents, alerts, text messages, mail by an API. */
import { z } from "zod";
import { httpUrl, notifyType } from "./chat.ts";
import { defineBlock } from "./define-block.ts";
import { notifier, said, withSubject } from "./notifier.ts";

const texts = z.record(z.string(), z.string());
const region = z.enum(["us", "eu"]).default("us");
const PAGER_DUTY_SEVERITY = { info: "info", success: "info", warning: "warning", failure: "critical" } as const;

/** Incidents of PagerDuty. The `notify_type` is their severity. */
export const pagerDutyWebhook = defineBlock({
  slug: "pager-duty-webhook",
  name: "Pager Duty Webhook",
  schema: z.object({
    notify_type: notifyType,
    integration_key: z.string(),
    api_key: z.string(),
    source: z.string().nullable().default("Sluice"),
    component: z.string().default("Notification"),
    group: z.string().nullish(),
    class_id: z.string().nullish(),
    region_name: region,
    clickable_url: httpUrl.nullish(),
    include_image: z.boolean().default(true),
    custom_details: texts.nullish(),
  }),
  secrets: ["integration_key", "api_key"],
  open: (block) =>
    notifier((body, subject) => {
      const details = subject === null ? {} : { body };
      const payload = {
        summary: subject ?? body,
        source: block.source ?? "Sluice",
        severity: PAGER_DUTY_SEVERITY[block.notify_type],
        component: block.component,
        group: block.group,
        class: block.class_id,
        custom_details: { ...block.custom_details, ...details },
      };
      const host = block.region_name === "eu" ? "events.eu.pagerduty.com" : "events.pagerduty.com";
      const links = block.clickable_url ? [{ href: block.clickable_url }] : null;
      return [
        {
          url: `https://${host}/v2/enqueue`,
          json: said({ routing_key: block.integration_key, event_action: "trigger", payload: said(payload), links }),
        },
      ];
    }),
});

/** Opsgenie takes no more as the message of an alert; the whole stands in its description. */
const OPSGENIE_CHARS = 130;

/** Alerts of Opsgenie. */
export const opsgenieWebhook = defineBlock({
  slug: "opsgenie-webhook",
  name: "Opsgenie Webhook",
  schema: z.object({
    apikey: z.string(),
    target_user: z.array(z.string()).nullish(),
    target_team: z.array(z.string()).nullish(),
    target_schedule: z.array(z.string()).nullish(),
    target_escalation: z.array(z.string()).nullish(),
    region_name: region,
    batch: z.boolean().default(false),
    tags: z.array(z.string()).nullish(),
    priority: z.int().min(1).max(5).nullable().default(3),
    alias: z.string().nullish(),
    entity: z.string().nullish(),
    details: texts.nullish(),
    notify_type: notifyType,
  }),
  secrets: ["apikey"],
  open: (block) =>
    notifier((body, subject) => {
      const responders = [
        ...(block.target_user ?? []).map((name) => ({ type: "user", username: name })),
        ...(block.target_team ?? []).map((name) => ({ type: "team", name })),
        ...(block.target_schedule ?? []).map((name) => ({ type: "schedule", name })),
        ...(block.target_escalation ?? []).map((name) => ({ type: "escalation", name })),
      ];
      const alert = {
        message: (subject ?? body).slice(0, OPSGENIE_CHARS),
        description: body,
        responders: responders.length > 0 ? responders : null,
        tags: block.tags,
        priority: `P${block.priority ?? 3}`,
        alias: block.alias,
        entity: block.entity,
        details: block.details,
      };
      const host = block.region_name === "eu" ? "api.eu.opsgenie.com" : "api.opsgenie.com";
      const headers = { authorization: `GenieKey ${block.apikey}` };
      return [{ url: `https://${host}/v2/alerts`, headers, json: said(alert) }];
    }),
});

/** Text messages by Twilio, one to each number. */
export const twilioSms = defineBlock({
  slug: "twilio-sms",
  name: "Twilio SMS",
  schema: z.object({
    account_sid: z.string(),
    auth_token: z.string(),
    from_phone_number: z.string(),
    to_phone_numbers: z.array(z.string()).min(1),
    notify_type: notifyType,
  }),
  secrets: ["auth_token"],
  open: ({ account_sid: sid, auth_token, from_phone_number, to_phone_numbers }) =>
    notifier((body, subject) =>
      to_phone_numbers.map((to) => ({
        url: `https://api.twilio.com/2010-04-01/Accounts/${encodeURIComponent(sid)}/Messages.json`,
        headers: { authorization: `Basic ${btoa(`${sid}:${auth_token}`)}` },
        body: new URLSearchParams({ From: from_phone_number, To: to, Body: withSubject(body, subject) }),
      })),
    ),
});

/** Mail by Sendgrid, to all addresses at once. */
export const sendgridEmail = defineBlock({
  slug: "sendgrid-email",
  name: "Sendgrid Email",
  schema: z.object({
    api_key: z.string(),
    sender_email: z.email(),
    to_emails: z.array(z.email()).min(1),
    notify_type: notifyType,
  }),
  secrets: ["api_key"],
  open: ({ api_key, sender_email, to_emails }) =>
    notifier((body, subject) => [
      {
        url: "https://api.sendgrid.com/v3/mail/send",
        headers: { authorization: `Bearer ${api_key}` },
        json: {
          personalizations: [{ to: to_emails.map((email) => ({ email })) }],
          from: { email: sender_email },
          subject: subject ?? "Notification of Sluice",
          content: [{ type: "text/plain", value: body }],
        },
      },
    ]),
});
