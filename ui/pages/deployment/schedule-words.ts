/** What the fields of a schedule are called. */
import type { Schedule } from "#protocol/deployments";
import type { CatchUpMode, OverlapPolicy } from "#protocol/schedule-policies";

export const KINDS = { cron: "Cron expression", interval: "Seconds between runs", rrule: "Recurrence rule" } as const;
export type Kind = keyof typeof KINDS;

export const OVERLAPS: Readonly<Record<OverlapPolicy, string>> = {
  ALLOW: "Both run",
  SKIP: "The new one is left out",
  BUFFER_ONE: "One waits for the end of the earlier one",
  BUFFER_ALL: "All wait, one after the other",
  CANCEL_OTHER: "The earlier one is cancelled",
};

export const CATCH_UPS: Readonly<Record<CatchUpMode, string>> = {
  DEFAULT: "Runs that were made already run late",
  NONE: "None of them runs",
  LAST: "The last one runs",
  ALL: "All of them run",
};

export function kindOf(schedule: Schedule): Kind {
  return "cron" in schedule ? "cron" : "interval" in schedule ? "interval" : "rrule";
}

export function ruleOf(schedule: Schedule): string {
  if ("cron" in schedule) return schedule.cron;
  return "interval" in schedule ? String(schedule.interval) : schedule.rrule;
}

/** Null while it is not a schedule yet. What `before` says and no field shows is kept. */
export function scheduleOf(kind: Kind, text: string, timezone: string, before: Schedule | null): Schedule | null {
  if (text.trim() === "") return null;
  if (kind === "cron") return { ...(before && "cron" in before && before), cron: text, timezone };
  if (kind === "rrule") return { rrule: text, timezone };
  const interval = Number(text);
  return interval > 0 ? { ...(before && "interval" in before && before), interval, timezone } : null;
}
