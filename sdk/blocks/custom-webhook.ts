/** A notification by any HTTP request: its parts have placeholders for the message and for secrets. */
import { z } from "zod";
import { defineBlock } from "./define-block.ts";
import { notifier } from "./notifier.ts";

const texts = z.record(z.string(), z.string());
const WHOLE = /^\{\{\s*([\w-]+)\s*\}\}$/;
const EACH = /\{\{\s*([\w-]+)\s*\}\}/g;

/**
 * Notifications by a request of one's own. `{{ body }}`, `{{ subject }}`, `{{ name }}` and the names in `secrets` are filled
 * in wherever they stand in `url`, `params`, `json_data`, `form_data`, `headers` and `cookies`. Opening it throws TypeError
 * for another name, and where both `json_data` and `form_data` are given.
 */
export const customWebhook = defineBlock({
  slug: "custom-webhook",
  name: "Custom Webhook",
  schema: z.object({
    name: z.string(),
    url: z.string().min(1),
    method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]).default("POST"),
    params: texts.nullish(),
    json_data: z.record(z.string(), z.json()).nullish(),
    form_data: z.union([texts, z.string()]).nullish(),
    headers: texts.nullish(),
    cookies: texts.nullish(),
    /** Seconds. */
    timeout: z.number().positive().default(10),
    allow_private_urls: z.boolean().default(true),
    secrets: texts.default({}),
  }),
  secrets: ["secrets.*"],
  open(block) {
    const { name, url, method, params, json_data, form_data, headers, cookies, timeout, secrets } = block;
    const parts = { url, params, json_data, form_data, headers, cookies };
    const known = new Set(["subject", "body", "name", ...Object.keys(secrets)]);
    for (const [, key = ""] of JSON.stringify(parts).matchAll(EACH)) {
      if (!known.has(key)) throw new TypeError(`A custom webhook names {{ ${key} }}, and "secrets" has no such name.`);
    }
    if (json_data != null && form_data != null) {
      throw new TypeError('A custom webhook has both "json_data" and "form_data". Give one of them.');
    }
    return notifier((body, subject) => {
      const values = { ...secrets, subject: subject ?? "null", body, name };
      const filled = fill(parts, values) as typeof parts;
      const address = new URL(filled.url);
      for (const [key, value] of Object.entries(filled.params ?? {})) address.searchParams.set(key, value);
      const cookie = Object.entries(filled.cookies ?? {}).map(([key, value]) => `${key}=${value}`);
      const form = filled.form_data ?? undefined;
      return [
        {
          url: address.href,
          method,
          headers: { ...filled.headers, ...(cookie.length > 0 ? { cookie: cookie.join("; ") } : {}) },
          ...(filled.json_data == null ? {} : { json: filled.json_data }),
          ...(form === undefined ? {} : { body: typeof form === "string" ? form : new URLSearchParams(form) }),
          timeoutMs: timeout * 1_000,
        },
      ];
    });
  },
});

function fill(value: unknown, values: Readonly<Record<string, string>>): unknown {
  if (typeof value === "string") {
    const whole = WHOLE.exec(value)?.[1];
    return whole === undefined ? value.replace(EACH, (_all, key: string) => values[key] ?? "") : values[whole];
  }
  if (Array.isArray(value)) return value.map((one) => fill(one, values));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fill(one, values)]));
}
