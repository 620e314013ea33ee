/** The sign of life that Prefect's flow engine gives: an event, by default every three minutes. */
import { type Event, resourceId } from "#protocol/events";
import { FlowRunId } from "#protocol/ids";
import { type EpochMs, fromWireTime } from "#protocol/time";

export interface Heartbeat {
  readonly flowRunId: FlowRunId;
  readonly at: EpochMs;
}

/** The heartbeat that an event is; null for any other event. */
export function heartbeatOf(event: Event): Heartbeat | null {
  if (event.event !== "prefect.flow-run.heartbeat") return null;
  const id = FlowRunId.safeParse(resourceId(event.resource, "prefect.flow-run."));
  return id.success ? { flowRunId: id.data, at: fromWireTime(event.occurred) } : null;
}
