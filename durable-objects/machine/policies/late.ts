import type { Policy } from "../rule.ts";
import { aLateRunIsCancelledWhenSlotsAreTaken } from "../rules/a-late-run-is-cancelled-when-slots-are-taken.ts";
import { aLeaseIdIsCarriedOn } from "../rules/a-lease-id-is-carried-on.ts";
import { onlyScheduledRunsAreMarkedLate } from "../rules/only-scheduled-runs-are-marked-late.ts";

/** What holds when the control plane marks a run as late: it may have been taken since it was looked at. */
export const LATE_POLICY: Policy = {
  name: "late",
  rules: [aLeaseIdIsCarriedOn, onlyScheduledRunsAreMarkedLate, aLateRunIsCancelledWhenSlotsAreTaken],
};
