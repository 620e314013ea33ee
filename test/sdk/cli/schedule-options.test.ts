import { describe, it } from "vitest";
import { timingIfSaid, timingOf } from "../../../sdk/cli/schedule-options.ts";

const NONE = {
  cron: undefined,
  dayAnd: false,
  interval: undefined,
  anchor: undefined,
  rrule: undefined,
  at: undefined,
  timezone: undefined,
  overlap: undefined,
  catchUp: undefined,
  catchUpWindow: undefined,
  jitter: undefined,
  startAt: undefined,
  endAt: undefined,
};

describe("the timing that a command line says", () => {
  it("has days of a cron of which both must be met, when that is said", ({ expect }) => {
    const cron = "0 9 1 * 1";
    expect(timingOf({ ...NONE, cron })).toEqual({ cron });
    expect(timingOf({ ...NONE, cron, dayAnd: true })).toEqual({ cron, day_or: false });
    expect(timingIfSaid({ ...NONE, cron, dayAnd: true })).toEqual({ cron, day_or: false });
    expect(timingIfSaid(NONE)).toBeNull();
  });

  it("says nothing of days without a cron", ({ expect }) => {
    expect(() => timingOf({ ...NONE, interval: 60, dayAnd: true })).toThrow("--day-and says something");
    expect(() => timingIfSaid({ ...NONE, dayAnd: true })).toThrow("--day-and says something");
  });
});
