/** How long the platform lets one request work, and which part of that is left for what is under way at its end. */
import { type Duration, parseDuration } from "../flow/duration.ts";
import type { BudgetSpan } from "../flow/engine/budget.ts";
import type { EpochMs } from "../protocol/time.ts";

/** Workers may work for 30 s after they answered; five of them are left for a slow start. */
const WORKERS_BUDGET_MS = 25_000;
const RESERVE_MS = 30_000;
/** Kept for telling the control plane, in milliseconds. */
const REPORT_MS = 2_000;

/** Null where the platform sets no limit. Throws TypeError for a span that is none. */
export function budgetMsOf(budget: Duration | null | undefined): number | null {
  if (budget !== undefined) return budget === null ? null : parseDuration(budget, 'serveFlows() option "budget"');
  return globalThis.navigator?.userAgent === "Cloudflare-Workers" ? WORKERS_BUDGET_MS : null;
}

/** What the engine is given of a budget that began at `startedAt`. */
export function budgetSpan(budgetMs: number, reserve: Duration | undefined, startedAt: EpochMs): BudgetSpan {
  const reserveMs =
    reserve === undefined
      ? Math.min(RESERVE_MS, budgetMs / 4)
      : Math.min(budgetMs, parseDuration(reserve, 'serveFlows() option "reserve"'));
  const endsAt = startedAt + budgetMs - Math.min(REPORT_MS, budgetMs / 10);
  const closesAt = Math.min(startedAt + budgetMs - reserveMs, endsAt);
  return { startsAt: startedAt, closesAt: closesAt as EpochMs, endsAt: endsAt as EpochMs };
}
