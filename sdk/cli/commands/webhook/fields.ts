/** What is shown of webhooks, and how one is named. */
import type { Webhook, WebhookVerification } from "../../../protocol/webhooks.ts";
import { wholeSeconds } from "../../flow-run-columns.ts";
import type { Column } from "../../output.ts";
import { type Parameter, required, text } from "../../parameters.ts";

export function slugArgument(): Parameter<string> {
  return required(text("The webhook's slug, the end of its address.", { placeholder: "slug" }));
}

/** Rows of one webhook; `apiUrl` is the address of the API, beside which its own is. */
export function webhookFields(apiUrl: string): readonly Column<Webhook>[] {
  return [
    { title: "Address", value: ({ path }) => `${apiUrl.replace(/\/api\/?$/, "")}${path}` },
    { title: "Deployment", value: (webhook) => webhook.deployment_id },
    { title: "Active", value: ({ active }) => (active ? "yes" : "no") },
    { title: "Verification", value: ({ verification }) => howItIsSigned(verification) },
    { title: "Secrets", value: (webhook) => webhook.secrets },
    { title: "Parameters", value: ({ parameters }) => JSON.stringify(parameters) },
    { title: "Key", value: (webhook) => webhook.idempotency_key },
    { title: "Tags", value: ({ tags }) => tags.join(", ") },
    { title: "Window", value: (webhook) => `${webhook.replay_window_seconds} s` },
    { title: "Body", value: (webhook) => `${webhook.max_body_bytes} bytes at most` },
    { title: "Created", value: ({ created }) => wholeSeconds(created) },
  ];
}

function howItIsSigned(verification: WebhookVerification): string {
  if (verification.type !== "hmac") return verification.type;
  const { header, algorithm, encoding, prefix, timestamp_header: time } = verification;
  const before = prefix === "" ? "" : ` after ${prefix}`;
  return `hmac: ${algorithm} in ${encoding}${before} in ${header}${time === null ? "" : `, the time in ${time}`}`;
}
