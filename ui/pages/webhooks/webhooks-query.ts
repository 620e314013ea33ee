import { filterWebhooks } from "#protocol/webhooks";
import { LIVE_MS } from "../../api/read.ts";
import { readPages } from "../../api/read-pages.ts";

/** The API lists webhooks by their slugs, without a filter. */
export const webhooksQuery = readPages(filterWebhooks, { body: {} }, LIVE_MS * 3);
