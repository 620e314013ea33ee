/** Block types that every server has. */
import { z } from "zod";
import { configuredFetch } from "../flow/configuration.ts";
import { httpUrl } from "./chat.ts";
import { defineBlock } from "./define-block.ts";

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
    url: httpUrl,
    headers: z.record(z.string(), z.string()).default({}),
    allow_private_urls: z.boolean().default(true),
    verify: z.boolean().default(true),
  }),
  secrets: ["url", "headers"],
  open: ({ method, url: address, headers }) => ({
    /** Answers whatever is answered. The payload is sent as JSON. */
    call: (payload?: unknown): Promise<Response> =>
      configuredFetch()(address, {
        method,
        headers: payload === undefined ? headers : { "content-type": "application/json", ...headers },
        ...(payload === undefined ? {} : { body: JSON.stringify(payload) }),
      }),
  }),
});
