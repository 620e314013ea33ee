/** Backfills: a range of a schedule is run afterwards, a few at a time. */
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import type { Backfill } from "#protocol/backfills";
import type { FlowRun } from "#protocol/flow-runs";
import type { EpochMs } from "#protocol/time";
import { scheduleTick } from "../../worker/cron/follow-schedules.ts";
import { advanceBackfill, cancelBackfill } from "../../worker/scheduling/backfill.ts";
import { aDeployment, call } from "./support/api.ts";
import { until } from "./support/runs.ts";

const RANGE = { start: "2026-01-01T00:00:00Z", end: "2026-01-06T00:00:00Z" };

interface Made {
  readonly id: string;
  readonly schedules: { readonly id: string }[];
}

async function daily(): Promise<Made> {
  const schedules = [{ schedule: { cron: "0 6 * * *", timezone: "UTC" }, active: false, parameters: { a: 1, b: 1 } }];
  return (await aDeployment({ schedules })) as unknown as Made;
}

async function runsOf({ id }: { id: string }): Promise<FlowRun[]> {
  const body = { deployments: { id: { any_: [id] } }, sort: "EXPECTED_START_TIME_ASC", limit: 200 };
  return (await call<FlowRun[]>("POST", "/flow_runs/filter", body)).body;
}

const isOpen = (run: FlowRun) => run.state_type === "SCHEDULED" || run.state_type === "PENDING";
const end = (run: FlowRun | undefined) =>
  call("POST", `/flow_runs/${run?.id}/set_state`, { state: { type: "COMPLETED" }, force: true });
const read = async ({ id }: { id: string }) => (await call<Backfill>("GET", `/backfills/${id}`)).body;

describe("a backfill", () => {
  it("is counted before it is made", async ({ expect }) => {
    const made = await daily();
    const preview = await call("POST", `/deployments/${made.id}/backfills/preview`, RANGE);
    expect(preview.body).toEqual({
      schedule_id: made.schedules[0]?.id,
      total: 5,
      first: [1, 2, 3, 4, 5].map((day) => `2026-01-0${day}T06:00:00.000000Z`),
      last: [],
    });
    expect(await runsOf(made)).toEqual([]);
  });

  it("runs every time once, no more at once than it may, and is then completed", { timeout: 30_000 }, async ({
    expect,
  }) => {
    const made = await daily();
    const body = { ...RANGE, concurrency: 2, parameters: { b: 2 } };
    const backfill = await call<Backfill>("POST", `/deployments/${made.id}/backfills`, body);
    expect(backfill).toMatchObject({ status: 201, body: { status: "RUNNING", total: 5, made: 2, concurrency: 2 } });
    const [first] = await runsOf(made);
    expect(first).toMatchObject({
      expected_start_time: "2026-01-01T06:00:00.000000Z",
      parameters: { a: 1, b: 2 },
      auto_scheduled: false,
    });
    let most = 0;
    await until(
      "the end",
      async () => {
        const open = (await runsOf(made)).filter(isOpen);
        most = Math.max(most, open.length);
        await end(open[0]);
        await scheduler.wait(20);
        return (await read(backfill.body)).status === "COMPLETED";
      },
      20_000,
    );
    expect(most).toBe(2);
    const due = (await runsOf(made)).map((run) => run.expected_start_time);
    expect(due).toEqual([1, 2, 3, 4, 5].map((day) => `2026-01-0${day}T06:00:00.000000Z`));
    expect(await read(backfill.body)).toMatchObject({ made: 5, total: 5 });
  });

  it("goes on with the tick when word of an end was lost, and makes nothing twice", async ({ expect }) => {
    const made = await daily();
    const backfill = (await call<Backfill>("POST", `/deployments/${made.id}/backfills`, { ...RANGE, concurrency: 3 }))
      .body;
    await Promise.all([advanceBackfill(env, backfill.id), advanceBackfill(env, backfill.id)]);
    await scheduleTick(env, Date.now() as EpochMs);
    expect(await runsOf(made)).toHaveLength(3);
    const [first] = await runsOf(made);
    // Ended in the copy alone, its owner has nobody to tell.
    await env.DB.prepare("UPDATE flow_runs SET state_type = 'COMPLETED' WHERE id = ?").bind(first?.id).run();
    await scheduleTick(env, Date.now() as EpochMs);
    expect(await runsOf(made)).toHaveLength(4);
  });

  it("is completed where its range ends at a due time, and holds up no other one", async ({ expect }) => {
    const made = await daily();
    const range = { start: "2026-01-01T06:00:00Z", end: "2026-01-02T06:00:00Z", concurrency: 2 };
    const backfill = (await call<Backfill>("POST", `/deployments/${made.id}/backfills`, range)).body;
    expect(backfill).toMatchObject({ total: 2, made: 2 });
    for (const run of await runsOf(made)) await end(run);
    await until("the end", async () => (await read(backfill)).status === "COMPLETED");
  });

  it("that cannot go on does not keep the others from going on", async ({ expect }) => {
    const [broken, sound] = [await daily(), await daily()];
    const start = async ({ id }: Made) =>
      (await call<Backfill>("POST", `/deployments/${id}/backfills`, { ...RANGE, concurrency: 1 })).body;
    const backfills = [await start(broken), await start(sound)];
    await env.DB.prepare("UPDATE flow_runs SET state_type = 'COMPLETED' WHERE deployment_id IN (?, ?)")
      .bind(broken.id, sound.id)
      .run();
    await env.DB.prepare("UPDATE deployment_schedules SET schedule = '{' WHERE deployment_id = ?")
      .bind(broken.id)
      .run();
    await scheduleTick(env, Date.now() as EpochMs);
    expect((await Promise.all(backfills.map(read))).map(({ made }) => made)).toEqual([1, 2]);
  });

  it("is not touched by changes of its deployment", async ({ expect }) => {
    const made = await daily();
    await call("POST", `/deployments/${made.id}/backfills`, { ...RANGE, concurrency: 3 });
    await call("PATCH", `/deployments/${made.id}`, { tags: ["new"] });
    await call("POST", `/deployments/${made.id}/pause_deployment`);
    expect(await runsOf(made)).toHaveLength(3);
  });

  it("is cancelled with its open runs, and makes no more", async ({ expect }) => {
    const made = await daily();
    const backfill = (await call<Backfill>("POST", `/deployments/${made.id}/backfills`, { ...RANGE, concurrency: 2 }))
      .body;
    const [first] = await runsOf(made);
    await call("POST", `/flow_runs/${first?.id}/set_state`, { state: { type: "RUNNING" }, force: true });
    expect((await call("POST", `/backfills/${backfill.id}/cancel`)).body).toMatchObject({
      status: "CANCELLED",
      made: 2,
    });
    const types = async () => (await runsOf(made)).map((run) => run.state_type);
    await until("they are cancelled", async () => (await types()).join() === "CANCELLING,CANCELLED");
    await advanceBackfill(env, backfill.id);
    expect(await runsOf(made)).toHaveLength(2);
    expect((await call<Backfill[]>("GET", `/deployments/${made.id}/backfills`)).body).toMatchObject([
      { id: backfill.id },
    ]);
  });

  it("that is cancelled while its next runs are made leaves none of them open", async ({ expect }) => {
    const made = await daily();
    const { id } = (await call<Backfill>("POST", `/deployments/${made.id}/backfills`, { ...RANGE, concurrency: 2 }))
      .body;
    const [first] = await runsOf(made);
    let batches = 0;
    const batch: D1Database["batch"] = async (statements) => {
      batches += 1;
      // The first one looked what is open; this one is to write the next run.
      if (batches === 2) await cancelBackfill(env, id);
      return env.DB.batch(statements);
    };
    const DB = { prepare: (query: string) => env.DB.prepare(query), batch } as unknown as D1Database;
    await advanceBackfill({ ...env, DB }, id, first?.id ?? null);
    await until("all are cancelled", async () => (await runsOf(made)).every((run) => run.state_type === "CANCELLED"));
    expect(await runsOf(made)).toHaveLength(3);
  });

  it.for([
    ["nothing is due", { start: "2026-01-01T07:00:00Z", end: "2026-01-01T08:00:00Z" }, 422],
    ["the range is the wrong way round", { start: RANGE.end, end: RANGE.start }, 422],
    ["there is no such schedule", { ...RANGE, schedule_id: "00000000-0000-7000-8000-000000000000" }, 404],
    ["it may have no run", { ...RANGE, concurrency: 0 }, 422],
  ] as const)("is looked at before it starts: when %s", async ([, body, status], { expect }) => {
    const made = await daily();
    expect((await call("POST", `/deployments/${made.id}/backfills`, body)).status).toBe(status);
  });

  it("needs to know which schedule is meant when there are several", async ({ expect }) => {
    const { id } = await aDeployment({ schedules: [{ schedule: { interval: 60 } }, { schedule: { interval: 61 } }] });
    expect((await call("POST", `/deployments/${id}/backfills/preview`, RANGE)).status).toBe(422);
  });
});
