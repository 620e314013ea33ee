/** What the less common filters of runs are called, in their form and where they are taken away. */

/** Each a text. */
export const TEXTS = [
  ["flow", "Flow"],
  ["deployment", "Deployment"],
  ["pool", "Work pool"],
  ["queue", "Work queue"],
  ["version", "Version of the flow"],
  ["idempotencyKey", "Idempotency key"],
] as const;

/** Each an instant. A run is due when it is to start; a late one starts after that. */
export const TIMES = [
  ["since", "Due after"],
  ["until", "Due before"],
  ["startedAfter", "Started after"],
  ["startedBefore", "Started before"],
  ["endedAfter", "Ended after"],
  ["endedBefore", "Ended before"],
] as const;

export const MADE_BY = {
  SCHEDULE: "a schedule",
  WEBHOOK: "a webhook",
  AUTOMATION: "an automation",
  CALL: "a call, by hand or through the API",
} as const;

export const LEVELS = { top: "Without subflows", sub: "Only subflows" } as const;

/** Names of states that a run may have beside the names of their types; others may be typed. */
export const STATE_NAMES = ["AwaitingRetry", "Retrying", "TimedOut", "Suspended", "Resuming"] as const;
