/** Schedules are followed: runs ahead of time, dormant until they are due or touched, and gone when their schedule is. */
import { env, exports } from "cloudflare:workers";
import { describe, it } from "vitest";
import type { FlowRun } from "#protocol/flow-runs";
import { type EpochMs, fromWireTime } from "#protocol/time";
import { scheduleTick } from "../../worker/cron/follow-schedules.ts";
import { followSchedules } from "../../worker/scheduling/follow-schedules.ts";
import { aDeployment, aPool, call } from "./support/api.ts";
import { WorkerClient } from "./support/pools.ts";
import { until } from "./support/runs.ts";

interface Schedule {
  readonly id: string;
  readonly slug: string | null;
}
interface Made {
  readonly id: string;
  readonly flow_id: string;
  readonly name: string;
  readonly schedules: Schedule[];
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

async function scheduled(schedule: unknown, more: Record<string, unknown> = {}): Promise<Made> {
  return (await aDeployment({ schedules: [{ schedule, slug: "only" }], ...more })) as unknown as Made;
}

async function runsOf(deployment: { id: string }, filter: Record<string, unknown> = {}): Promise<FlowRun[]> {
  const body = {
    deployments: { id: { any_: [deployment.id] } },
    flow_runs: filter,
    sort: "NEXT_SCHEDULED_START_TIME_ASC",
    limit: 200,
  };
  return (await call<FlowRun[]>("POST", "/flow_runs/filter", body)).body;
}

async function dormantOf({ id }: { id: string }): Promise<number[]> {
  const { results } = await env.DB.prepare("SELECT dormant FROM flow_runs WHERE deployment_id = ? ORDER BY id")
    .bind(id)
    .all<{ dormant: number }>();
  return results.map(({ dormant }) => dormant);
}

function dueTimesOf(runs: readonly FlowRun[]): number[] {
  return runs.map((run) => fromWireTime(run.expected_start_time ?? ""));
}

/** A tick as the cron trigger brings it, with the messages that it would send handled at once. */
async function tick(atMs = Date.now()): Promise<void> {
  const at = atMs as EpochMs;
  const { results } = await env.DB.prepare("SELECT id FROM deployment_schedules").all<{ id: string }>();
  await followSchedules(
    env,
    results.map(({ id }) => id),
    at,
  );
  await scheduleTick(env, at);
}

describe("a deployment that is made with a schedule", () => {
  it("has its runs at once: three, or as many as an hour holds", async ({ expect }) => {
    const daily = await scheduled({ cron: "0 6 * * *" });
    expect(await runsOf(daily)).toHaveLength(3);
    const often = await scheduled({ interval: 300 });
    const due = dueTimesOf(await runsOf(often));
    expect(due.length).toBeGreaterThanOrEqual(13);
    expect(due.length).toBeLessThanOrEqual(14);
    expect(due.at(-1)).toBeGreaterThanOrEqual(Date.now() + HOUR_MS - 10_000);
    const fast = await scheduled({ interval: 1 });
    expect(await runsOf(fast)).toHaveLength(100);
  });

  it("gives each run what upstream gives it", async ({ expect }) => {
    const deployment = await scheduled(
      { cron: "0 6 * * *", timezone: "America/New_York" },
      {
        tags: ["a"],
        parameters: { x: 1, y: 1 },
        schedules: [{ schedule: { cron: "0 6 * * *", timezone: "America/New_York" }, parameters: { y: 2 } }],
      },
    );
    const [run] = await runsOf(deployment);
    const [schedule] = deployment.schedules;
    expect(run).toMatchObject({
      tags: ["auto-scheduled", "a"],
      auto_scheduled: true,
      parameters: { x: 1, y: 2 },
      state_type: "SCHEDULED",
      state_name: "Scheduled",
      run_count: 0,
      created_by: { id: schedule?.id, type: "SCHEDULE", display_value: "CronSchedule" },
      state: { message: "Flow run scheduled", state_details: { scheduled_time: run?.expected_start_time } },
    });
    expect(run?.idempotency_key).toMatch(
      new RegExp(`^scheduled ${deployment.id} ${schedule?.id} \\d{4}-\\d\\d-\\d\\d 06:00:00-0[45]:00$`),
    );
    expect(run?.labels).toMatchObject({ "prefect.deployment.id": deployment.id, "prefect.flow.id": run?.flow_id });
  });

  it("costs no object for a run that nobody has touched, which is read, listed and counted like any other", async ({
    expect,
  }) => {
    const deployment = await scheduled({ cron: "0 6 * * *" });
    expect(await dormantOf(deployment)).toEqual([1, 1, 1]);
    const [first] = await runsOf(deployment);
    expect((await call("GET", `/flow_runs/${first?.id}`)).body).toMatchObject({
      id: first?.id,
      state_name: "Scheduled",
    });
    expect((await call("GET", `/flow_run_states/?flow_run_id=${first?.id}`)).body).toMatchObject([
      { type: "SCHEDULED" },
    ]);
    const counted = { deployments: { id: { any_: [deployment.id] } } };
    expect((await call("POST", "/flow_runs/count", counted)).body).toBe(3);
    expect(await dormantOf(deployment)).toEqual([1, 1, 1]);
  });

  it("has no runs while it is paused or its schedule is not active", async ({ expect }) => {
    const paused = await scheduled({ cron: "0 6 * * *" }, { paused: true });
    const inactive = await scheduled(null, { schedules: [{ schedule: { cron: "0 6 * * *" }, active: false }] });
    await tick();
    expect(await runsOf(paused)).toEqual([]);
    expect(await runsOf(inactive)).toEqual([]);
    await call("POST", `/deployments/${paused.id}/resume_deployment`);
    expect(await runsOf(paused)).toHaveLength(3);
  });

  it.for([
    [{ cron: "61 * * * *" }, "cron"],
    [{ cron: "* * * * *", timezone: "Mars/Olympus" }, "timezone"],
    [{ rrule: "FREQ=OFTEN" }, "rrule"],
  ] as const)("is refused when the schedule is none: %j", async ([schedule, field], { expect }) => {
    const { flow_id } = await aDeployment();
    const answer = await call("POST", "/deployments/", { name: "x", flow_id, schedules: [{ schedule }] });
    expect(answer.status).toBe(422);
    expect(JSON.stringify(answer.body)).toContain(field);
  });
});

describe("the tick", () => {
  it("keeps runs ahead as time passes, and makes none twice", async ({ expect }) => {
    const deployment = await scheduled({ cron: "0 * * * *" });
    const before = await runsOf(deployment);
    await Promise.all([tick(), tick(), tick()]);
    expect(await runsOf(deployment)).toEqual(before);
    const later = Date.now() + 2 * HOUR_MS;
    await Promise.all([tick(later), tick(later)]);
    const due = dueTimesOf(await runsOf(deployment));
    expect(new Set(due).size).toBe(due.length);
    expect(due.filter((at) => at >= later)).toHaveLength(3);
    expect(due.every((at, index) => index === 0 || at === (due[index - 1] ?? 0) + HOUR_MS)).toBe(true);
  });

  it("reads a schedule that changed while it was followed as it is now", async ({ expect }) => {
    const deployment = await scheduled({ cron: "0 6 * * *" });
    const [schedule] = deployment.schedules;
    await Promise.all([
      tick(),
      call("PATCH", `/deployments/${deployment.id}/schedules/${schedule?.id}`, { schedule: { cron: "30 7 * * *" } }),
      tick(),
    ]);
    await tick();
    const minutes = new Set(dueTimesOf(await runsOf(deployment)).map((at) => new Date(at).toISOString().slice(11, 16)));
    expect([...minutes]).toEqual(["07:30"]);
  });

  it("goes on where one schedule cannot be followed", async ({ expect }) => {
    const bad = await scheduled({ cron: "0 6 * * *" });
    const good = await scheduled({ cron: "0 6 * * *" });
    await env.DB.batch([
      env.DB.prepare(`UPDATE deployment_schedules SET schedule = '{"cron":"nonsense"}' WHERE deployment_id = ?`).bind(
        bad.id,
      ),
      env.DB.prepare("DELETE FROM schedule_progress"),
      env.DB.prepare("DELETE FROM flow_run_keys WHERE flow_id = ?").bind(good.flow_id),
      env.DB.prepare("DELETE FROM flow_runs WHERE deployment_id = ?").bind(good.id),
    ]);
    await tick();
    expect(await runsOf(good)).toHaveLength(3);
    await call("DELETE", `/deployments/${bad.id}`);
  });
});

describe("runs ahead go with what they were made for", () => {
  it.for([
    ["the deployment is paused", (made: Made) => call("POST", `/deployments/${made.id}/pause_deployment`), 0],
    [
      "the schedule is deleted",
      (made: Made) => call("DELETE", `/deployments/${made.id}/schedules/${made.schedules[0]?.id}`),
      0,
    ],
    [
      "the schedule is stopped",
      (made: Made) => call("PATCH", `/deployments/${made.id}/schedules/${made.schedules[0]?.id}`, { active: false }),
      0,
    ],
    ["the deployment is deleted", (made: Made) => call("DELETE", `/deployments/${made.id}`), 0],
    [
      "the deployment is changed",
      (made: Made) => call("PATCH", `/deployments/${made.id}`, { parameters: { n: 2 } }),
      3,
    ],
    ["the flow is deleted", (made: Made) => call("DELETE", `/flows/${made.flow_id}`), 0],
  ] as const)("when %s, those that are awake too", async ([, change, left], { expect }) => {
    const made = await scheduled({ cron: "0 6 * * *" });
    const [first] = await runsOf(made);
    await call("PATCH", `/flow_runs/${first?.id}`, { tags: ["awake"] });
    if (left > 0 || change.toString().includes("flows")) await call("DELETE", `/flow_runs/${first?.id}`);
    expect((await change(made)).status).toBeLessThan(300);
    const runs = await runsOf(made);
    expect(runs).toHaveLength(left);
    for (const run of runs) expect(run.parameters).toEqual({ n: 2 });
    await tick();
    expect(await runsOf(made)).toHaveLength(left);
  });

  it("but a run that has begun stays, and so does one that somebody asked for", async ({ expect }) => {
    const made = await scheduled({ cron: "0 6 * * *" });
    const asked = await call<FlowRun>("POST", `/deployments/${made.id}/create_flow_run`, {});
    const [first, second] = (await runsOf(made)).filter(({ id }) => id !== asked.body.id);
    await call("POST", `/flow_runs/${first?.id}/set_state`, { state: { type: "PENDING" }, force: true });
    await call("PATCH", `/flow_runs/${second?.id}`, { name: "awake" });
    await call("POST", `/deployments/${made.id}/pause_deployment`);
    const ids = (await runsOf(made)).map(({ id }) => id);
    expect(new Set(ids)).toEqual(new Set([asked.body.id, first?.id]));
    expect((await call("GET", `/flow_runs/${second?.id}`)).status).toBe(404);
  });
});

describe("a dormant run", () => {
  it("is cancelled, changed and deleted like any other", async ({ expect }) => {
    const made = await scheduled({ cron: "0 6 * * *" });
    const [first, second, third] = await runsOf(made);
    const cancelled = await call("POST", `/flow_runs/${first?.id}/set_state`, { state: { type: "CANCELLED" } });
    expect(cancelled).toMatchObject({ status: 201, body: { status: "ACCEPT", state: { type: "CANCELLED" } } });
    expect((await call("PATCH", `/flow_runs/${second?.id}`, { name: "mine" })).status).toBe(204);
    expect((await call("GET", `/flow_runs/${second?.id}`)).body).toMatchObject({
      name: "mine",
      state_name: "Scheduled",
    });
    expect((await call("DELETE", `/flow_runs/${third?.id}`)).status).toBe(204);
    expect((await call("GET", `/flow_runs/${third?.id}`)).status).toBe(404);
    await until("copies", async () => {
      const types = (await runsOf(made)).map((run) => run.state_type);
      return types.length === 2 && types.includes("CANCELLED") ? types : null;
    });
    expect(await dormantOf(made)).toEqual([0, 0]);
    await tick();
    expect(await runsOf(made)).toHaveLength(2);
  });

  it("that was being taken over when its owner died is taken over again", async ({ expect }) => {
    const made = await scheduled({ cron: "0 6 * * *" });
    const [first] = await runsOf(made);
    await env.DB.prepare("UPDATE flow_runs SET dormant = 2 WHERE id = ?").bind(first?.id).run();
    expect((await call("GET", `/flow_runs/${first?.id}`)).status).toBe(200);
    await call("POST", `/flow_runs/${first?.id}/set_state`, { state: { type: "CANCELLED" } });
    expect((await call("GET", `/flow_runs/${first?.id}`)).body).toMatchObject({ state_type: "CANCELLED" });
  });

  it("is taken over once, however many ask at the same time", async ({ expect }) => {
    const made = await scheduled({ cron: "0 6 * * *" });
    const [first] = await runsOf(made);
    const path = `/flow_runs/${first?.id}`;
    await Promise.all(["a", "b", "c"].map((name) => call("PATCH", path, { name })));
    expect((await call<unknown[]>("GET", `/flow_run_states/?flow_run_id=${first?.id}`)).body).toHaveLength(1);
  });
});

describe("runs that are due", () => {
  it("are started by their pool's alarm when their time comes, not by the tick", { timeout: 30_000 }, async ({
    expect,
  }) => {
    const pool = await aPool();
    const anchor = new Date(Date.now() + 1_200).toISOString();
    const made = await scheduled({ interval: 3600, anchor_date: anchor }, { work_pool_name: pool.name });
    const response = await exports.default.fetch(`http://localhost/api/work_pools/${pool.name}/channel`, {
      headers: { upgrade: "websocket" },
    });
    if (!response.webSocket) throw new Error("no socket");
    const worker = new WorkerClient("w", response.webSocket);
    const frames: number[] = [];
    worker.onFrame = (frame) => frame.type === "run" && frames.push(Date.now());
    worker.send({ type: "hello", protocol: 1, worker_name: "w", worker_type: "process", limit: 5 });
    const [frame] = await worker.waitFor("run");
    const [first] = await runsOf(made);
    expect(frame?.ticket.flow_run_id).toBe(first?.id);
    const lateMs = (frames[0] ?? 0) - Date.parse(anchor);
    expect(lateMs).toBeGreaterThanOrEqual(0);
    expect(lateMs).toBeLessThan(2_000);
    await until("pending", async () =>
      (await runsOf(made)).some((run) => run.state_type === "PENDING") ? true : null,
    );
    worker.close();
  });

  it("and wait in no pool are watched by their owners from then on", async ({ expect }) => {
    const made = await scheduled({ interval: 7200, anchor_date: new Date(Date.now() + 2 * MINUTE_MS).toISOString() });
    await until("awake", async () => ((await dormantOf(made)).includes(0) ? true : null));
    expect((await dormantOf(made)).filter((dormant) => dormant === 1)).toHaveLength(2);
  });
});

describe("a span of time", () => {
  it("is scheduled on request, past times too, each once", async ({ expect }) => {
    const made = await scheduled({ cron: "0 6 * * *", timezone: "UTC" }, { paused: true });
    const body = { start_time: "2026-01-01T00:00:00Z", end_time: "2026-01-10T00:00:00Z", min_runs: 9 };
    for (let times = 0; times < 2; times += 1) {
      expect((await call("POST", `/deployments/${made.id}/schedule`, body)).status).toBe(200);
    }
    const due = dueTimesOf(await runsOf(made)).map((at) => new Date(at).toISOString());
    expect(due).toHaveLength(9);
    expect(due[0]).toBe("2026-01-01T06:00:00.000Z");
  });
});

describe("schedules of a deployment that is changed", () => {
  const schedule = { interval: 3600 };
  async function twoSlugs(): Promise<Made> {
    return (await aDeployment({ schedules: ["a", "b"].map((slug) => ({ schedule, slug })) })) as unknown as Made;
  }
  const slugs = async ({ id }: Made) =>
    (await call<Schedule[]>("GET", `/deployments/${id}/schedules`)).body.map(({ slug }) => slug).sort();

  const idOf = (made: Made, slug: string) => made.schedules.find((one) => one.slug === slug)?.id;

  it("are told apart by their slugs: some change, some come, the others stay", async ({ expect }) => {
    const made = await twoSlugs();
    const change = {
      schedules: [
        { slug: "a", active: false },
        { slug: "c", schedule },
      ],
    };
    expect((await call("PATCH", `/deployments/${made.id}`, change)).status).toBe(204);
    expect(await slugs(made)).toEqual(["a", "b", "c"]);
    const known = (await call<{ id: string; active: boolean }[]>("GET", `/deployments/${made.id}/schedules`)).body;
    expect(known.find(({ id }) => id === idOf(made, "a"))?.active).toBe(false);
  });

  it("may swap their slugs", async ({ expect }) => {
    const made = await twoSlugs();
    const change = {
      schedules: [
        { slug: "b", replaces: "a" },
        { slug: "a", replaces: "b" },
      ],
    };
    expect((await call("PATCH", `/deployments/${made.id}`, change)).status).toBe(204);
    const now = (await call<Schedule[]>("GET", `/deployments/${made.id}/schedules`)).body;
    expect(now.find(({ id }) => id === idOf(made, "a"))?.slug).toBe("b");
  });

  it.for([
    ["a slug is missing", [{ schedule }]],
    [
      "two replace one",
      [
        { slug: "x", replaces: "a" },
        { slug: "y", replaces: "a" },
      ],
    ],
    ["a slug is taken", [{ slug: "b", replaces: "a" }]],
    ["a new one has no schedule", [{ slug: "new" }]],
  ] as const)("are refused when %s", async ([, schedules], { expect }) => {
    const made = await twoSlugs();
    expect((await call("PATCH", `/deployments/${made.id}`, { schedules })).status).toBe(422);
    expect(await slugs(made)).toEqual(["a", "b"]);
  });
});
