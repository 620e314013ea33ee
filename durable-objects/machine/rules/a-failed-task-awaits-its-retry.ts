import { NO_DETAILS } from "#protocol/states";
import { after, seconds, toWireTime } from "#protocol/time";
import { jittered } from "../jitter.ts";
import { retryDelaySeconds } from "../retry-delay.ts";
import type { OwnedTaskRule } from "../rule.ts";
import { PASS } from "../rule.ts";

/**
 * Turns a retriable failure of a task into a wait for its next attempt, which may be over at once. Message and data of
 * the failure stay readable.
 */
export const aFailedTaskAwaitsItsRetry: OwnedTaskRule = {
  name: "a-failed-task-awaits-its-retry",
  from: ["RUNNING"],
  to: ["FAILED"],
  decide: ({ to }, { now, run, random }) => {
    const { policy, runCount } = run;
    // The older names of both settings are still sent by old clients.
    const retries = policy.retries ?? policy.max_retries;
    if (runCount > retries || to.state_details.retriable === false) return PASS;
    const delay = jittered(retryDelaySeconds(policy, runCount), policy.retry_jitter_factor ?? 0, random);
    const { message, data } = to;
    const scheduled_time = toWireTime(after(now, seconds(delay)));
    return {
      kind: "replace",
      to: {
        type: "SCHEDULED",
        name: "AwaitingRetry",
        message,
        data,
        state_details: { ...NO_DETAILS, scheduled_time },
      },
      because: "Retrying",
    };
  },
};
