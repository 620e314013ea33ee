import { NO_DETAILS } from "#protocol/states";
import { after, seconds, toWireTime } from "#protocol/time";
import type { Rule } from "../rule.ts";

/**
 * Turns a failure into a wait for the next attempt while retries remain. The process that failed waits and goes on
 * itself, so the run is marked in a way that keeps it from every worker.
 */
export const aFailedRunIsRetried: Rule = {
  name: "a-failed-run-is-retried",
  from: ["RUNNING"],
  to: ["FAILED"],
  decide: ({ to }, { now, run }) => {
    const { policy } = run;
    // The older names of both settings are still sent by old clients.
    const retries = policy.retries ?? policy.max_retries;
    const delay = seconds(policy.retry_delay ?? policy.retry_delay_seconds);
    if (run.runCount > retries) return { kind: "pass", patch: { policy: { ...policy, retry_type: null } } };
    return {
      kind: "replace",
      to: {
        type: "SCHEDULED",
        name: "AwaitingRetry",
        message: to.message,
        data: to.data,
        state_details: { ...NO_DETAILS, scheduled_time: toWireTime(after(now, delay)) },
      },
      because: `Retry ${run.runCount} of ${retries}.`,
      patch: { policy: { ...policy, resuming: false, pause_keys: [], retry_type: "in_process" } },
    };
  },
};
