import { isTerminal, NO_DETAILS } from "#protocol/states";
import { fromWireTime } from "#protocol/time";
import type { Rule } from "../rule.ts";
import { PASS } from "../rule.ts";

/**
 * A paused run goes on (RUNNING in its process, SCHEDULED to a new one), is cancelled, or ends. Going on is not a new
 * attempt, and is too late after the pause's timeout. A suspended run that has no deployment can only be cancelled,
 * by CANCELLING, as upstream: only a person who insists, or the timeout, gets it anywhere else.
 *
 * Prefect 3.8 also refuses to cancel a paused run that has a process; here it may be cancelled.
 */
export const aPausedRunResumesOrEnds: Rule = {
  name: "a-paused-run-resumes-or-ends",
  from: ["PAUSED"],
  to: "any",
  decide: ({ from, to }, { now, run }) => {
    if (from === null || to.type === "CANCELLING") return PASS;
    const ends = isTerminal(to.type);
    if (!ends && to.type !== "RUNNING" && to.type !== "SCHEDULED") {
      return { kind: "keep", because: `A paused run cannot transition to a ${to.type} state.` };
    }
    const { pause_reschedule: suspended, pause_timeout: timeout } = from.state_details;
    if (suspended && run.deploymentId === null) {
      return { kind: "keep", because: "Cannot reschedule a paused run without an associated deployment." };
    }
    if (ends) return PASS;
    if (timeout !== null && fromWireTime(timeout) < now) {
      return {
        kind: "replace",
        to: {
          type: "FAILED",
          name: null,
          message: "The flow was paused and never resumed.",
          data: null,
          state_details: NO_DETAILS,
        },
        because: "The pause has timed out and the run can no longer resume.",
      };
    }
    return { kind: "pass", patch: { policy: { ...run.policy, resuming: true } } };
  },
};
