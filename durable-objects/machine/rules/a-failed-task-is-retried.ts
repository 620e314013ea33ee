import { NO_DETAILS } from "#protocol/states";
import { after, seconds, toWireTime } from "#protocol/time";
import { jittered } from "../jitter.ts";
import { retryDelaySeconds } from "../retry-delay.ts";
import type { TaskRule } from "../rule.ts";
import { PASS } from "../rule.ts";

/**
 * Turns a retriable failure of a task into its next attempt: a wait (`AwaitingRetry`) when there is a delay, at once
 * (`Retrying`) when there is none. Message and data of the failure stay readable in the history.
 */
export const aFailedTaskIsRetried: TaskRule = {
  name: "a-failed-task-is-retried",
  from: ["RUNNING"],
  to: ["FAILED"],
  decide: ({ to }, { now, run, random }) => {
    const { policy, runCount } = run;
    // The older names of both settings are still sent by old clients.
    const retries = policy.retries ?? policy.max_retries;
    if (runCount > retries || to.state_details.retriable === false) return PASS;
    const because = `Retry ${runCount} of ${retries}.`;
    const delaySeconds = jittered(retryDelaySeconds(policy, runCount), policy.retry_jitter_factor ?? 0, random);
    const { message, data } = to;
    if (delaySeconds <= 0) {
      return {
        kind: "replace",
        to: { type: "RUNNING", name: "Retrying", message, data, state_details: NO_DETAILS },
        because,
      };
    }
    const scheduled_time = toWireTime(after(now, seconds(delaySeconds)));
    return {
      kind: "replace",
      to: {
        type: "SCHEDULED",
        name: "AwaitingRetry",
        message,
        data,
        state_details: { ...NO_DETAILS, scheduled_time },
      },
      because,
    };
  },
};
