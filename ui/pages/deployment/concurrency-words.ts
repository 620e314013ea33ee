import type { ConcurrencyOptions } from "#protocol/deployments";
import type { FlowControl, KeyedConcurrency } from "#protocol/flow-control";

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

/** What becomes of a run whose process crashes or is not heard of any more. */
export const LOSSES: Readonly<Record<NonNullable<FlowControl["on_lost"]>, string>> = {
  crash: "ends Crashed",
  retry: "is offered again, and goes on after its last finished task",
};
