import type { RunRule } from "../rule.ts";
import { PASS } from "../rule.ts";

/** A claim remembers when the run is due, so that a run claimed early still starts on time. */
export const aClaimKeepsTheScheduledTime: RunRule = {
  name: "a-claim-keeps-the-scheduled-time",
  from: ["SCHEDULED"],
  to: ["PENDING"],
  decide: ({ from, to }) => {
    const scheduled_time = from?.state_details.scheduled_time ?? null;
    if (scheduled_time === null || to.state_details.scheduled_time !== null) return PASS;
    return { kind: "amend", to: { ...to, state_details: { ...to.state_details, scheduled_time } } };
  },
};
