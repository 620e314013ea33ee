import { describe, it } from "vitest";
import { z } from "zod";
import { planDeployment } from "../../sdk/flow/deploy/deployment.ts";
import { type ScheduleOptions, schedulesOf } from "../../sdk/flow/deploy/schedules.ts";
import { flow } from "../../sdk/flow/flow.ts";
import { parameterSchema } from "../../sdk/flow/parameter-schema.ts";

describe("schedules of a deployment", () => {
  it.for<[what: string, given: ScheduleOptions, schedules: unknown[]]>([
    ["cron", { cron: "0 6 * * *", timezone: "Europe/London" }, [{ cron: "0 6 * * *", timezone: "Europe/London" }]],
    ["several crons", { cron: ["0 6 * * *", "0 9 * * *"] }, [{ cron: "0 6 * * *" }, { cron: "0 9 * * *" }]],
    ["interval in words", { interval: "15m" }, [{ interval: 900 }]],
    [
      "a cron whose days both have to match",
      { cron: "0 9 1 * 1", dayOr: false },
      [{ cron: "0 9 1 * 1", day_or: false }],
    ],
    ["interval in seconds, as text", { interval: "90" }, [{ interval: 90 }]],
    ["interval by the clock", { interval: "01:30:00" }, [{ interval: 5_400 }]],
    ["interval by ISO 8601", { interval: "PT15M" }, [{ interval: 900 }]],
    ["interval of less than a second, with its unit", { interval: "500ms" }, [{ interval: 0.5 }]],
    ["interval in milliseconds", { interval: 2_000 }, [{ interval: 2 }]],
    ["rrule", { rrule: "FREQ=DAILY" }, [{ rrule: "FREQ=DAILY" }]],
    [
      "a moment",
      { at: new Date("2026-12-24T18:00:00Z") },
      [{ rrule: "DTSTART:20261224T180000\nRRULE:FREQ=DAILY;COUNT=1", timezone: "UTC" }],
    ],
  ])("by %s", ([, given, schedules], { expect }) => {
    expect(schedulesOf([given]).map(({ schedule }) => schedule)).toEqual(schedules);
  });

  it("carry their policy, in seconds", ({ expect }) => {
    const [one] = schedulesOf([
      { interval: "1h", overlap: "SKIP", catchUpWindow: "2h", jitter: "30s", slug: "hourly" },
    ]);
    expect(one).toMatchObject({ slug: "hourly", policy: { overlap: "SKIP", catch_up_window: 7_200, jitter: 30 } });
  });

  it.for<[what: string, given: ScheduleOptions, error: RegExp]>([
    ["no way of saying when", { timezone: "UTC" }, /says none of "cron"/],
    ["two ways", { cron: "* * * * *", interval: "1h" }, /says "cron" and "interval"/],
    ["no span", { interval: 0 }, /"interval" is 0/],
    ["no span in words", { interval: "0s" }, /"interval" is "0s". Give a span above 0/],
    ["a number that was meant as seconds", { interval: 90 }, /is 90, and numbers are milliseconds.* Write "90s"/],
    ["an interval that is none", { interval: "soon" }, /"interval" is "soon". Write it as "15m"/],
    ["days of a cron without one", { interval: "1h", dayOr: false }, /"dayOr" says how "cron" is read/],
    ["an empty list of crons", { cron: [] }, /"cron" is an empty list/],
    [
      "one slug of several crons",
      { cron: ["0 6 * * *", "0 9 * * *"], slug: "twice" },
      /slug "twice" names one schedule, and "cron" lists 2/,
    ],
    ["a moment that is none", { at: "tomorrow" }, /"at" is "tomorrow"/],
  ])("refuse %s", ([, given, error], { expect }) => {
    expect(() => schedulesOf([given])).toThrow(error);
  });
});

describe("a deployment's own timing", () => {
  it("is a schedule of it, with all that is said of it", ({ expect }) => {
    const timing = { cron: "0 9 1 * 1", dayOr: false, timezone: "Asia/Tokyo" };
    const { body } = planDeployment(
      flow({ name: "etl" }, async () => 1),
      { name: "daily", ...timing },
    );
    expect(body.schedules).toEqual([
      { active: true, schedule: { cron: "0 9 1 * 1", day_or: false, timezone: "Asia/Tokyo" } },
    ]);
  });

  it("of one cron in a list may have a slug", ({ expect }) => {
    expect(schedulesOf([{ cron: ["0 6 * * *"], slug: "once" }])).toMatchObject([{ slug: "once" }]);
  });
});

describe("the JSON schema of parameters", () => {
  it("is the one of the library", ({ expect }) => {
    expect(parameterSchema(z.object({ n: z.number().default(3), s: z.string() }))).toMatchObject({
      type: "object",
      properties: { n: { type: "number", default: 3 }, s: { type: "string" } },
      required: ["s"],
    });
  });

  it("is asked of arktype's method", ({ expect }) => {
    const schema = { "~standard": { version: 1, vendor: "arktype", validate: () => ({ value: 1 }) } } as const;
    expect(parameterSchema(Object.assign({ toJsonSchema: () => ({ type: "object" }) }, schema))).toMatchObject({
      type: "object",
    });
  });

  it("is none where something has no place in JSON schema", ({ expect }) => {
    expect(parameterSchema(z.object({ at: z.date() }))).toBeNull();
  });
});
