import { fromWireTime } from "#protocol/time";
import type { RunRule } from "../rule.ts";
import { PASS } from "../rule.ts";

/** Nothing runs before it is due. The wire has whole seconds, so half a second early is on time. */
export const aRunWaitsForItsScheduledTime: RunRule = {
  name: "a-run-waits-for-its-scheduled-time",
  from: ["SCHEDULED", "PENDING"],
  to: ["RUNNING"],
  decide: ({ from }, { now }) => {
    const dueAt = from?.state_details.scheduled_time ?? null;
    if (dueAt === null) return PASS;
    const delaySeconds = Math.round((fromWireTime(dueAt) - now) / 1000);
    return delaySeconds > 0 ? { kind: "wait", delaySeconds, because: "Scheduled time is in the future." } : PASS;
  },
};
