import type { ConcurrencyOptions } from "#protocol/deployments";
import type { KeyedConcurrency } from "#protocol/flow-control";

/** What becomes of one run more than may run at once. */
export const COLLISIONS: Readonly<Record<ConcurrencyOptions["collision_strategy"], string>> = {
  ENQUEUE: "waits",
  CANCEL_NEW: "is cancelled",
};

export const STRATEGIES: Readonly<Record<KeyedConcurrency["strategy"], string>> = {
  queue: "waits",
  skip: "is cancelled",
  "cancel-running": "takes the place of the one that runs",
  "round-robin": "waits; keys take turns",
};
