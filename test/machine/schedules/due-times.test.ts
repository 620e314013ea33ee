/** Due times that Prefect 3.8.8 gave; `test/prefect/schedules.test.ts` asks it for as many more as one likes. */
import { describe, it } from "vitest";
import { type DeploymentScheduleCreate, Schedule } from "#protocol/deployments";
import { type EpochMs, fromWireTime, toWireTime } from "#protocol/time";
import { dueTimes, scheduleFault } from "#schedules/due-times";
import { normalizeRrule } from "#schedules/normalize-rrule";
import known from "./known-due-times.json" with { type: "json" };

type ScheduleOf = DeploymentScheduleCreate["schedule"];

describe("a schedule is due", () => {
  it.for(known)("when Prefect says: $schedule from $start", ({ schedule, start, due }, { expect }) => {
    expect(take(Schedule.parse(schedule), fromWireTime(start), due.length)).toEqual(due);
  });

  it("every hour that passes, also when the clock shows one twice", ({ expect }) => {
    const schedule = { interval: 3600, anchor_date: toWireTime(0 as EpochMs), timezone: "America/New_York" };
    expect(take(schedule, fromWireTime("2026-11-01T05:00:00Z"), 3)).toEqual([
      "2026-11-01T05:00:00.000000Z",
      "2026-11-01T06:00:00.000000Z",
      "2026-11-01T07:00:00.000000Z",
    ]);
  });

  it("never before the start, also where the clock shows its time a second time", ({ expect }) => {
    const schedule = { cron: "*/15 * * * *", timezone: "America/New_York" };
    expect(take(schedule, fromWireTime("2026-11-01T06:20:00Z"), 1)).toEqual(["2026-11-01T07:00:00.000000Z"]);
  });

  it.for(["0 0 30 2 *", "0 0 1 1 * 0 1999"])("never, when its date never comes: %s", (cron, { expect }) => {
    expect(take({ cron }, fromWireTime("2026-01-01T00:00:00Z"), 1)).toEqual([]);
  });
});

describe("a schedule is looked at in no time", () => {
  it.for([
    [{ rrule: "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30" }, []],
    [{ rrule: "FREQ=MINUTELY;BYSETPOS=366" }, []],
    [{ rrule: "FREQ=HOURLY;INTERVAL=2;BYHOUR=1" }, []],
    [
      { rrule: "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=29;BYHOUR=3;BYMINUTE=4;BYSECOND=5" },
      ["2028-02-29T03:04:05.000000Z"],
    ],
    [{ rrule: "FREQ=SECONDLY;COUNT=2000000000" }, ["2026-01-01T00:00:00.000000Z"]],
    [{ rrule: "FREQ=SECONDLY;COUNT=1000" }, []],
    [{ rrule: "FREQ=HOURLY;BYMINUTE=5,25,45;BYSETPOS=-1" }, ["2026-01-01T00:45:00.000000Z"]],
    [
      { interval: 86_400, anchor_date: "0001-01-01T00:00:00Z", timezone: "America/New_York" },
      ["2026-01-01T00:00:00.000000Z"],
    ],
    [{ interval: 1e14, anchor_date: "2026-01-01T00:00:01Z" }, ["2026-01-01T00:00:01.000000Z"]],
  ] as const)("%j", ([schedule, due], { expect }) => {
    expect(take(schedule as unknown as ScheduleOf, fromWireTime("2026-01-01T00:00:00Z"), 1)).toEqual(due);
  });

  it("also where numbers are too coarse for one step more", ({ expect }) => {
    const start = fromWireTime("9999-12-31T23:59:59Z");
    const times = take({ interval: 1e-6 }, start, 3);
    expect(new Set(times).size).toBe(3);
  });

  it("and every day of the first year, by whatever clock", ({ expect }) => {
    const schedule = { interval: 86_400, timezone: "America/New_York" };
    expect(take(schedule, fromWireTime("0001-01-01T00:00:00Z"), 2)).toEqual([
      "0001-01-01T00:00:00.000000Z",
      "0001-01-02T00:00:00.000000Z",
    ]);
  });

  it.for([1e-9, 1e15])("an interval of %d seconds is none", (interval, { expect }) => {
    expect(Schedule.safeParse({ interval }).success).toBe(false);
  });
});

describe("a schedule is refused", () => {
  it.for([
    [{ cron: "61 * * * *" }, "cron", "61 is out of range"],
    [{ cron: "* * * *" }, "cron", "it has 5, 6 or 7 fields"],
    [{ cron: "h * * * *" }, "cron", "unsupported"],
    [{ cron: "* * * * *", timezone: "Mars/Olympus" }, "timezone", "Invalid timezone"],
    [{ rrule: "FREQ=YEARLY;BYEASTER=-2,1" }, "rrule", "BYEASTER takes one number"],
    [{ rrule: "FREQ=OFTEN" }, "rrule", "invalid 'FREQ': OFTEN"],
    [{ rrule: "DTSTART:20200101T000000\nRRULE:FREQ=DAILY;UNTIL=20210101T000000Z" }, "rrule", "timezone-aware"],
  ] as const)("with the field and the reason: %j", ([schedule, field, reason], { expect }) => {
    const fault = scheduleFault(schedule);
    expect(fault?.field).toBe(field);
    expect(fault?.message).toContain(reason.replace("61 is out of range", "61"));
  });
});

describe("a rule that is stored says where it begins", () => {
  const now = fromWireTime("2026-11-21T12:34:56Z");
  it.for([
    ["FREQ=DAILY", "DTSTART:20200101T000000\nFREQ=DAILY"],
    ["FREQ=MINUTELY;INTERVAL=7", "DTSTART:20261121T122800\nFREQ=MINUTELY;INTERVAL=7"],
    ["FREQ=MINUTELY;COUNT=3", "DTSTART:20200101T000000\nFREQ=MINUTELY;COUNT=3"],
    ["FREQ=DAILY;UNTIL=20270101T000000Z", "DTSTART:20200101T000000Z\nFREQ=DAILY;UNTIL=20270101T000000Z"],
    ["DTSTART:20260101T000000\nFREQ=DAILY", "DTSTART:20260101T000000\nFREQ=DAILY"],
  ])("%s", ([text = "", expected], { expect }) => {
    expect(normalizeRrule(text, "UTC", now)).toBe(expected);
  });
});

function take(schedule: ScheduleOf, start: EpochMs, count: number): string[] {
  const taken: string[] = [];
  for (const at of dueTimes(schedule, start)) {
    if (taken.length === count) break;
    taken.push(toWireTime(at));
  }
  return taken;
}
