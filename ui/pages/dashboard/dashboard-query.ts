/** What the dashboard shows, for a span that ends now or that was chosen by the brush. One request. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { z } from "zod";
import { readDashboard } from "#protocol/dashboard";
import { api } from "../../api/client.ts";
import { LIVE_MS } from "../../api/read.ts";

const HOUR_MS = 3_600_000;
export const SPANS = { "1h": HOUR_MS, "24h": 24 * HOUR_MS, "7d": 7 * 24 * HOUR_MS, "30d": 30 * 24 * HOUR_MS } as const;
export type Span = keyof typeof SPANS;
export const DEFAULT_SPAN: Span = "24h";

/** The address's part after the question mark. */
export const DashboardSearch = z.object({
  span: z.enum(["1h", "24h", "7d", "30d"]).optional().catch(undefined),
  /** Both or none: a span chosen by the brush. */
  since: z.iso.datetime().optional().catch(undefined),
  until: z.iso.datetime().optional().catch(undefined),
  tags: z.array(z.string()).optional().catch(undefined),
});
export type DashboardSearch = z.infer<typeof DashboardSearch>;

export function dashboardQuery(search: DashboardSearch) {
  const chosen = search.since !== undefined && search.until !== undefined;
  return queryOptions({
    queryKey: [readDashboard.id, search] as const,
    queryFn: ({ signal }) => {
      const until = search.until ?? new Date().toISOString();
      const since = search.since ?? new Date(Date.now() - SPANS[search.span ?? DEFAULT_SPAN]).toISOString();
      const body = { since, until, tags: search.tags ?? null };
      return api.call(readDashboard, { body }, { signal, idempotent: true });
    },
    placeholderData: keepPreviousData,
    refetchInterval: chosen ? LIVE_MS * 4 : LIVE_MS,
  });
}
