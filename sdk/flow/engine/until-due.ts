/** How long a scheduled state has to be waited for. */
import type { State } from "../../protocol/states.ts";
import { fromWireTime } from "../../protocol/time.ts";

/** Whole milliseconds, reckoned from the state's own times: the clock of the run's owner need not be ours. */
export function untilDueMs(state: State): number {
  const dueAt = state.type === "SCHEDULED" ? state.state_details.scheduled_time : null;
  return dueAt === null ? 0 : Math.max(0, Math.round(fromWireTime(dueAt) - fromWireTime(state.timestamp)));
}
