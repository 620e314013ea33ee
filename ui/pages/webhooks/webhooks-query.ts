import { queryOptions } from "@tanstack/react-query";
import { LIMITS } from "#protocol/limits";
import { filterWebhooks } from "#protocol/webhooks";
import { LIVE_MS, read } from "../../api/read.ts";

/** The API lists webhooks by their slugs, without a filter. */
export const webhooksQuery = queryOptions({
  ...read(filterWebhooks, { body: { limit: LIMITS.pageRows } }),
  refetchInterval: LIVE_MS * 3,
});
