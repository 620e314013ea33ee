/** Refuses schedules that could not be followed, at the border and with the field. */
import type { Schedule } from "#protocol/deployments";
import { SluiceError } from "#protocol/errors";
import { scheduleFault } from "#schedules/due-times";

/** `at` is where in the request the schedules stand. Those that say no schedule are not looked at. */
export function checkSchedules(
  schedules: readonly { readonly schedule?: Schedule | undefined }[] | null | undefined,
  at: readonly (string | number)[],
): void {
  for (const [index, { schedule }] of (schedules ?? []).entries()) {
    const fault = schedule ? scheduleFault(schedule) : null;
    if (fault === null) continue;
    throw new SluiceError("validation", fault.message, {
      fix: "See docs/schedules.md for what a schedule may be.",
      issues: [{ loc: [...at, index, "schedule", fault.field], msg: fault.message, type: "value_error" }],
    });
  }
}
