import { describe, it } from "vitest";
import { call } from "../support/api.ts";

interface Preview {
  readonly times: readonly string[];
}

const preview = (body: unknown) => call<Preview>("POST", "/schedules/preview", body);
const seconds = (times: readonly string[]) => times.map((at) => at.slice(0, 19));

describe("a preview of a schedule", () => {
  it("has its next ten times", async ({ expect }) => {
    const before = Date.now();
    const { status, body } = await preview({ schedule: { interval: 3600 } });
    const times = body.times.map((at) => Date.parse(at));
    expect(status).toBe(200);
    expect(times).toHaveLength(10);
    expect(times[0]).toBeGreaterThanOrEqual(before);
    expect(times.slice(1).map((at, index) => at - (times[index] ?? 0))).toEqual(Array(9).fill(3_600_000));
  });

  it("goes by the clock of the zone across its change", async ({ expect }) => {
    const schedule = { cron: "0 6 * * *", timezone: "Europe/London" };
    const { body } = await preview({ schedule, start_at: "2099-03-28T00:00:00Z", count: 3 });
    expect(seconds(body.times)).toEqual(["2099-03-28T06:00:00", "2099-03-29T05:00:00", "2099-03-30T05:00:00"]);
  });

  it("ends with the schedule, and does not go into the past", async ({ expect }) => {
    const schedule = { cron: "0 0 1 1 *" };
    const until = await preview({ schedule, start_at: "2098-06-01T00:00:00Z", end_at: "2100-06-01T00:00:00Z" });
    expect(seconds(until.body.times)).toEqual(["2099-01-01T00:00:00", "2100-01-01T00:00:00"]);
    const { body } = await preview({ schedule, start_at: "2001-01-01T00:00:00Z", count: 1 });
    expect(Date.parse(body.times[0] ?? "")).toBeGreaterThan(Date.now());
  });

  it.for([
    [{ cron: "99 6 * * *" }, "cron"],
    [{ cron: "0 6 * * *", timezone: "Nowhere/Atall" }, "timezone"],
    [{ rrule: "FREQ=SOMETIMES" }, "rrule"],
  ])("says what is wrong with %j", async ([schedule, field], { expect }) => {
    const { status, body } = await preview({ schedule });
    expect(status).toBe(422);
    expect(JSON.stringify(body)).toContain(`"${field}"`);
  });

  it("has at most a hundred times", async ({ expect }) => {
    expect((await preview({ schedule: { interval: 60 }, count: 100 })).body.times).toHaveLength(100);
    expect((await preview({ schedule: { interval: 60 }, count: 101 })).status).toBe(422);
  });
});
