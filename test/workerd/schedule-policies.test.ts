/** What schedules do beyond Prefect's: overlap, catching up, jitter, their first and last moment. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import type { FlowRun } from "#protocol/flow-runs";
import type { FlowRunId } from "#protocol/ids";
import { DEFAULT_POLICY, type SchedulePolicy } from "#protocol/schedule-policies";
import { type EpochMs, fromWireTime, toWireTime } from "#protocol/time";
import type { ScheduleLineObject } from "../../durable-objects/schedule-line-object.ts";
import { isPassedOver, missedTimes } from "../../worker/scheduling/catch-up.ts";
import { followSchedules } from "../../worker/scheduling/follow-schedules.ts";
import { HORIZON, lookAhead } from "../../worker/scheduling/horizon.ts";
import { offerSoonDue } from "../../worker/scheduling/offer-soon-due.ts";
import { aDeployment, call } from "./support/api.ts";
import { until } from "./support/runs.ts";

const HOUR_MS = 3_600_000;

interface Made {
  readonly id: string;
  readonly scheduleId: string;
}

async function withPolicy(policy: object, schedule: object = { cron: "0 * * * *" }): Promise<Made> {
  const made = (await aDeployment({ schedules: [{ schedule }] })) as unknown as {
    id: string;
    schedules: { id: string }[];
  };
  const scheduleId = made.schedules[0]?.id ?? "";
  const path = `/deployments/${made.id}/schedules/${scheduleId}/policy`;
  const answer = await call("PUT", path, policy);
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return { id: made.id, scheduleId };
}

async function runsOf({ id }: Made): Promise<FlowRun[]> {
  const body = { deployments: { id: { any_: [id] } }, sort: "EXPECTED_START_TIME_ASC", limit: 200 };
  return (await call<FlowRun[]>("POST", "/flow_runs/filter", body)).body;
}

const follow = ({ scheduleId }: Made, at: number) => followSchedules(env, [scheduleId], at as EpochMs);
const propose = (id: FlowRunId | undefined, type: string) =>
  call<{ status: string; state: { type: string; name: string } }>("POST", `/flow_runs/${id}/set_state`, {
    state: { type },
  });
const stateOf = async (id: FlowRunId | undefined) => (await call<FlowRun>("GET", `/flow_runs/${id}`)).body.state_name;
async function claimAll(runs: readonly FlowRun[]): Promise<(string | null)[]> {
  const names: (string | null)[] = [];
  for (const { id } of runs) {
    await propose(id, "PENDING");
    names.push(await stateOf(id));
  }
  return names;
}

describe("the policy of a schedule", () => {
  it("is Prefect's behaviour unless it is set, and has an address of its own", async ({ expect }) => {
    const made = (await aDeployment({ schedules: [{ schedule: { cron: "0 * * * *" } }] })) as unknown as {
      id: string;
      schedules: Record<string, unknown>[];
    };
    const path = `/deployments/${made.id}/schedules/${made.schedules[0]?.["id"]}/policy`;
    const defaults = {
      overlap: "ALLOW",
      catch_up: "DEFAULT",
      catch_up_window: 86_400,
      jitter: 0,
      start_at: null,
      end_at: null,
    };
    expect((await call("GET", path)).body).toEqual(defaults);
    expect((await call("PUT", path, { overlap: "SKIP", jitter: 5 })).body).toEqual({
      ...defaults,
      overlap: "SKIP",
      jitter: 5,
    });
    const [schedule] = (await call<Record<string, unknown>[]>("GET", `/deployments/${made.id}/schedules`)).body;
    expect(Object.keys(schedule ?? {})).not.toContain("policy");
    expect((await call("PUT", path, {})).body).toEqual(defaults);
    expect((await call("PUT", path.replace(/schedules\/[^/]+/, `schedules/${made.id}`), {})).status).toBe(404);
    expect((await call("PUT", path, { overlap: "SOMETIMES" })).status).toBe(422);
  });

  it("is taken with the schedule, too: when it is made, changed, or made again under its slug", async ({ expect }) => {
    const schedule = { cron: "0 * * * *" };
    const made = (await aDeployment({
      schedules: [{ schedule, slug: "a", policy: { overlap: "SKIP" } }],
    })) as unknown as {
      id: string;
      schedules: { id: string }[];
    };
    const path = (id?: string) => `/deployments/${made.id}/schedules/${id ?? made.schedules[0]?.id}`;
    const overlap = async (id?: string) => (await call<{ overlap: string }>("GET", `${path(id)}/policy`)).body.overlap;
    expect(await overlap()).toBe("SKIP");
    await call("PATCH", path(), { active: true });
    expect(await overlap()).toBe("SKIP");
    await call("PATCH", path(), { policy: { overlap: "BUFFER_ALL" } });
    expect(await overlap()).toBe("BUFFER_ALL");
    const schedules = [
      { slug: "a", policy: { overlap: "BUFFER_ONE" } },
      { slug: "b", schedule, policy: { jitter: 3 } },
    ];
    await call("PATCH", `/deployments/${made.id}`, { schedules });
    expect(await overlap()).toBe("BUFFER_ONE");
    const more = await call<{ id: string }[]>("POST", `/deployments/${made.id}/schedules`, [
      { schedule, policy: { overlap: "CANCEL_OTHER" } },
    ]);
    expect(await overlap(more.body[0]?.id)).toBe("CANCEL_OTHER");
  });

  it("bounds when runs are due", async ({ expect }) => {
    const start = Math.ceil(Date.now() / HOUR_MS) * HOUR_MS + 5 * HOUR_MS;
    const made = await withPolicy({
      start_at: toWireTime(start as EpochMs),
      end_at: toWireTime((start + HOUR_MS) as EpochMs),
    });
    expect((await runsOf(made)).map((run) => fromWireTime(run.expected_start_time ?? ""))).toEqual([
      start,
      start + HOUR_MS,
    ]);
  });

  it("spreads runs by a jitter that is the same each time they are made", async ({ expect }) => {
    const made = await withPolicy({ jitter: 600 });
    const starts = (await runsOf(made)).map((run) => fromWireTime(run.expected_start_time ?? ""));
    const offsets = starts.map((at) => at % HOUR_MS);
    expect(Math.max(...offsets)).toBeLessThan(600_000);
    expect(new Set(offsets).size).toBeGreaterThan(1);
    await call("PATCH", `/deployments/${made.id}`, { description: "made again" });
    expect((await runsOf(made)).map((run) => fromWireTime(run.expected_start_time ?? ""))).toEqual(starts);
  });
});

describe("runs of a schedule that are due while an earlier one has not ended", () => {
  it.for([
    ["ALLOW", ["Pending", "Pending", "Pending"]],
    ["SKIP", ["Pending", "Skipped", "Skipped"]],
    ["BUFFER_ONE", ["Pending", "AwaitingConcurrencySlot", "Skipped"]],
    ["BUFFER_ALL", ["Pending", "AwaitingConcurrencySlot", "AwaitingConcurrencySlot"]],
  ] as const)("with %s come out as %j", async ([overlap, expected], { expect }) => {
    const runs = await runsOf(await withPolicy({ overlap }));
    expect(await claimAll(runs)).toEqual(expected);
  });

  it("start in their order when the earlier one has ended", async ({ expect }) => {
    const [first, second, third] = await runsOf(await withPolicy({ overlap: "BUFFER_ALL" }));
    await claimAll([first, third, second] as FlowRun[]);
    await propose(first?.id, "CANCELLED");
    await until("the next one's turn", async () => (await stateOf(third?.id)) === "Scheduled");
    expect((await propose(second?.id, "PENDING")).body.status).toBe("REJECT");
    expect((await propose(third?.id, "PENDING")).body.status).toBe("ACCEPT");
  });

  it("take its place with CANCEL_OTHER", async ({ expect }) => {
    const [first, second] = await runsOf(await withPolicy({ overlap: "CANCEL_OTHER" }));
    await propose(first?.id, "PENDING");
    await propose(first?.id, "RUNNING");
    await propose(second?.id, "PENDING");
    expect(await stateOf(first?.id)).toBe("Cancelling");
    await propose(first?.id, "CANCELLED");
    await until("its turn", async () => (await stateOf(second?.id)) === "Scheduled");
    expect((await propose(second?.id, "PENDING")).body.status).toBe("ACCEPT");
  });

  it("replace, with CANCEL_OTHER, also whoever waits for the place", async ({ expect }) => {
    const runs = await runsOf(await withPolicy({ overlap: "CANCEL_OTHER" }));
    await propose(runs[0]?.id, "PENDING");
    await propose(runs[0]?.id, "RUNNING");
    for (const run of runs.slice(1)) await propose(run.id, "PENDING");
    expect(await Promise.all(runs.map(({ id }) => stateOf(id)))).toEqual([
      "Cancelling",
      "Cancelled",
      "AwaitingConcurrencySlot",
    ]);
  });

  it.for(["BUFFER_ONE", "BUFFER_ALL", "CANCEL_OTHER"])(
    "with %s keep the place that they have when they ask again",
    async (overlap, { expect }) => {
      const [first, second] = await runsOf(await withPolicy({ overlap }));
      for (const run of [first, second, second]) await propose(run?.id, "PENDING");
      expect(await stateOf(second?.id)).toBe("AwaitingConcurrencySlot");
      await propose(first?.id, "RUNNING");
      await propose(first?.id, overlap === "CANCEL_OTHER" ? "CANCELLED" : "COMPLETED");
      await until("its turn", async () => (await stateOf(second?.id)) === "Scheduled");
    },
  );

  it("are decided on one after the other, though they ask at the same time", async ({ expect }) => {
    const made = await withPolicy({ overlap: "SKIP" });
    const runs = await runsOf(made);
    const kinds = await runInDurableObject(env.SCHEDULE_LINES.getByName(made.scheduleId), async (line) => {
      const admitted = await Promise.all(runs.map(({ id }) => (line as ScheduleLineObject).admit(id, "SKIP")));
      return admitted.map(({ kind }) => kind);
    });
    expect(kinds).toEqual(["go", "skip", "skip"]);
  });

  it("start although the word of its end was lost, or it was deleted", async ({ expect }) => {
    const [first, second] = await runsOf(await withPolicy({ overlap: "SKIP" }));
    await propose(first?.id, "PENDING");
    await call("DELETE", `/flow_runs/${first?.id}`);
    expect((await propose(second?.id, "PENDING")).body.status).toBe("ACCEPT");
  });

  it("do not wait for themselves: a claim that comes again is answered alike", async ({ expect }) => {
    const [first] = await runsOf(await withPolicy({ overlap: "SKIP" }));
    await propose(first?.id, "PENDING");
    await propose(first?.id, "SCHEDULED");
    expect((await propose(first?.id, "PENDING")).body.status).toBe("ACCEPT");
  });
});

describe("times that passed while nobody was there", () => {
  const AFTER_DUE_MS = 5 * 60_000;

  /** Three runs were made; then nobody looks for a day. */
  async function aDayLater(catch_up: string, more: object = {}): Promise<{ made: Made; runs: FlowRun[]; now: number }> {
    // Half an hour ahead: what is due within five minutes is offered as soon as it is made, and nobody misses it.
    const minute = (new Date().getUTCMinutes() + 30) % 60;
    const pastHourMs = minute * 60_000;
    const made = await withPolicy({ catch_up, ...more }, { cron: `${minute} * * * *` });
    const first = Math.ceil((Date.now() - pastHourMs) / HOUR_MS) * HOUR_MS + pastHourMs;
    const now = first + 24 * HOUR_MS + AFTER_DUE_MS;
    await follow(made, now);
    await offerSoonDue(env, now as EpochMs);
    await until("states are copied", async () => (await runsOf(made)).every((run) => run.state_name !== null));
    return { made, runs: await runsOf(made), now };
  }
  const isPast = (now: number) => (run: FlowRun) => fromWireTime(run.expected_start_time ?? "") <= now;
  const names = (runs: FlowRun[], now: number) => Promise.all(runs.filter(isPast(now)).map(({ id }) => stateOf(id)));

  it("are run as far as their runs had been made, as upstream", async ({ expect }) => {
    const { runs, now } = await aDayLater("DEFAULT");
    expect(await names(runs, now)).toEqual(["Scheduled", "Scheduled", "Scheduled"]);
    expect(runs.filter((run) => !isPast(now)(run))).toHaveLength(3);
  });

  it("are not run with NONE", async ({ expect }) => {
    const { runs, now } = await aDayLater("NONE");
    expect(await names(runs, now)).toEqual(["Skipped", "Skipped", "Skipped"]);
  });

  it("are run but for the last one with LAST", async ({ expect }) => {
    const { runs, now } = await aDayLater("LAST");
    expect(await names(runs, now)).toEqual(["Skipped", "Skipped", "Skipped", "Scheduled"]);
    const last = runs.filter(isPast(now)).at(-1);
    expect(fromWireTime(last?.expected_start_time ?? "")).toBe(now - AFTER_DUE_MS);
  });

  it("are all run with ALL, as far as the window reaches", async ({ expect }) => {
    const all = await aDayLater("ALL");
    expect((await names(all.runs, all.now)).filter((name) => name === "Scheduled")).toHaveLength(24);
    const few = await aDayLater("ALL", { catch_up_window: 4 * 3600 });
    expect((await names(few.runs, few.now)).filter((name) => name === "Scheduled")).toHaveLength(4);
    expect((await names(few.runs, few.now)).filter((name) => name === "Skipped")).toHaveLength(3);
  });

  it("of a pause are caught up with as well", async ({ expect }) => {
    const made = await withPolicy({ catch_up: "LAST" });
    await call("POST", `/deployments/${made.id}/pause_deployment`);
    expect(await runsOf(made)).toEqual([]);
    const now = Date.now() + 10 * HOUR_MS;
    await env.DB.prepare("UPDATE deployments SET paused = 0 WHERE id = ?").bind(made.id).run();
    await follow(made, now);
    expect((await runsOf(made)).filter(isPast(now))).toHaveLength(1);
  });
});

describe("what is due by an hourly schedule", () => {
  const HOURLY = { cron: "0 * * * *" };
  const hour = (count: number, moreMs = 0) =>
    (fromWireTime("2026-03-01T00:00:00Z") + count * HOUR_MS + moreMs) as EpochMs;
  const wire = (count: number) => toWireTime(hour(count));
  const hours = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, at) => hour(first + at));
  const all: SchedulePolicy = { ...DEFAULT_POLICY, catch_up: "ALL" };
  const now = hour(10, 300_000);

  it.for([
    ["DEFAULT", DEFAULT_POLICY, []],
    ["NONE", { ...all, catch_up: "NONE" }, []],
    ["LAST", { ...all, catch_up: "LAST" }, hours(10, 10)],
    ["ALL", all, hours(1, 10)],
    ["ALL within a window", { ...all, catch_up_window: 4 * 3600 }, hours(7, 10)],
    ["ALL from the first moment of the schedule", { ...all, start_at: wire(3) }, hours(3, 10)],
    ["ALL to the last moment of the schedule", { ...all, end_at: wire(8) }, hours(1, 8)],
    ["LAST to the last moment of the schedule", { ...all, catch_up: "LAST", end_at: wire(8) }, hours(8, 8)],
  ] as const)("and was missed is caught up with by %s", ([, policy, expected], { expect }) => {
    expect(missedTimes(HOURLY, policy, hour(0), now)).toEqual(expected);
    expect(missedTimes(HOURLY, policy, null, now)).toEqual([]);
    expect(missedTimes(HOURLY, policy, now, now)).toEqual([]);
    expect(missedTimes(HOURLY, null, hour(0), now)).toEqual([]);
  });

  it("and was missed does not include what is due now, and is the newest thousand", ({ expect }) => {
    expect(missedTimes(HOURLY, all, hour(0), hour(10)).at(-1)).toBe(hour(9));
    const everyMinute = missedTimes({ cron: "* * * * *" }, all, hour(0), hour(20));
    expect(everyMinute).toHaveLength(1_000);
    expect(everyMinute.at(-1)).toBe(hour(20, -60_000));
  });

  it.for([
    ["DEFAULT", 7_200, "no"],
    ["NONE", 89, "no"],
    ["NONE", 91, "yes"],
    ["LAST", 89, "no"],
    ["LAST", 91, "unless last"],
    ["LAST", 3_601, "yes"],
    ["ALL", 3_600, "no"],
    ["ALL", 3_601, "yes"],
  ] as const)("with %s is passed over %i s later: %s", ([catchUp, ageSeconds, expected], { expect }) => {
    const dueAt = (now - ageSeconds * 1_000) as EpochMs;
    expect(isPassedOver({ dueAt, catchUp, windowSeconds: 3_600 }, now)).toBe(expected);
  });

  it.for([
    ["three, until the first of them has passed", HOURLY, null, [hour(1), hour(2), hour(3)], hour(1)],
    ["an hour of them, until less is left", { cron: "*/20 * * * *" }, null, 4, hour(0, 1_200_000)],
    ["at most a hundred, and more with the next tick", { cron: "* * * * * *" }, null, 100, hour(0, 1)],
    ["those to its last moment, and is done", HOURLY, hour(2), [hour(1), hour(2)], 8.64e15],
    ["none that is more than 100 days off, until it is not", { cron: "0 0 1 9 *" }, null, 0, hour(84 * 24)],
  ] as const)("is made ahead: %s", ([, schedule, endAt, expected, nextCheckAt], { expect }) => {
    const ahead = lookAhead(schedule, hour(0, 1), endAt, HORIZON);
    expect(typeof expected === "number" ? ahead.dueAt.length : ahead.dueAt).toEqual(expected);
    expect(ahead.nextCheckAt).toBe(nextCheckAt);
  });
});
