/** The states into which the policy of a schedule brings its runs. */
import type { FlowRunId } from "#protocol/ids";
import { NO_DETAILS, type StateCreate } from "#protocol/states";
import { type EpochMs, toWireTime } from "#protocol/time";

/** A run that waits for another asks again after this long, if nobody tells it to before. */
const ASK_AGAIN_MS = 60_000;

/** It waits for an earlier run of its schedule; by the name that Prefect's clients know. */
export function waitsForEarlier(earlier: FlowRunId, now: EpochMs): StateCreate {
  return {
    type: "SCHEDULED",
    name: "AwaitingConcurrencySlot",
    message: `Flow run ${earlier} of the same schedule has not ended.`,
    data: null,
    state_details: { ...NO_DETAILS, scheduled_time: toWireTime((now + ASK_AGAIN_MS) as EpochMs) },
  };
}

/** It is not to run: an earlier run of its schedule has not ended. */
export function skippedFor(earlier: FlowRunId): StateCreate {
  return skipped(`Flow run ${earlier} of the same schedule has not ended.`);
}

/** It is not to run, for a reason. */
export function skipped(message: string): StateCreate {
  return { type: "CANCELLED", name: "Skipped", message, data: null, state_details: NO_DETAILS };
}

/** A later run of its schedule takes its place. */
export function superseded(later: FlowRunId, type: "CANCELLED" | "CANCELLING"): StateCreate {
  const message = `Flow run ${later} of the same schedule takes its place.`;
  return { type, name: null, message, data: null, state_details: NO_DETAILS };
}

/** The run that it waited for has ended. */
export function startNow(): StateCreate {
  return { type: "SCHEDULED", name: null, message: "It is its turn.", data: null, state_details: NO_DETAILS };
}
