import { createExecutionContext, createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import worker from "../../../worker/index.ts";
import { aPool, call } from "../support/api.ts";
import { Pool } from "../support/pools.ts";
import { until } from "../support/runs.ts";

interface WorkerRow {
  readonly name: string;
  readonly status: string;
  readonly heartbeat_interval_seconds: number;
  readonly last_heartbeat_time: string;
}

async function beat(pool: string, body: object) {
  return (await call("POST", `/work_pools/${pool}/workers/heartbeat`, body)).status;
}

async function workersOf(pool: string): Promise<WorkerRow[]> {
  return (await call<WorkerRow[]>("POST", `/work_pools/${pool}/workers/filter`, {})).body;
}

/** Moves what D1 knows of a worker's last heartbeat into the past. */
async function silentFor(name: string, seconds: number): Promise<void> {
  await env.DB.prepare("UPDATE workers SET last_heartbeat_time = last_heartbeat_time - ? WHERE name = ?")
    .bind(seconds * 1_000, name)
    .run();
}

const tick = () => worker.scheduled(createScheduledController({ scheduledTime: 0 }), env, createExecutionContext());

describe("a worker without a channel", () => {
  it("is recorded by its first heartbeat, which makes the pool ready", async ({ expect }) => {
    const pool = await aPool();
    expect((await call("GET", `/work_pools/${pool.name}`)).body).toMatchObject({ status: "NOT_READY" });
    expect(await beat(pool.name, { name: "w", heartbeat_interval_seconds: 5 })).toBe(204);
    expect(await beat(pool.name, { name: "w", heartbeat_interval_seconds: 10 })).toBe(204);
    expect(await beat(pool.name, { name: "other" })).toBe(204);
    expect(await workersOf(pool.name)).toMatchObject([
      { name: "other", status: "ONLINE", heartbeat_interval_seconds: 30, work_pool_id: pool.id },
      { name: "w", status: "ONLINE", heartbeat_interval_seconds: 10 },
    ]);
    expect((await call("GET", `/work_pools/${pool.name}`)).body).toMatchObject({ status: "READY" });
  });

  it("is offline after three of its intervals, and online again when it comes back", async ({ expect }) => {
    const pool = await aPool();
    const name = `silent-${pool.name}`;
    await beat(pool.name, { name, heartbeat_interval_seconds: 10 });
    await silentFor(name, 25);
    await tick();
    expect(await workersOf(pool.name)).toMatchObject([{ status: "ONLINE" }]);
    await silentFor(name, 6);
    await tick();
    await tick();
    expect(await workersOf(pool.name)).toMatchObject([{ status: "OFFLINE" }]);
    expect((await call("GET", `/work_pools/${pool.name}`)).body).toMatchObject({ status: "NOT_READY" });
    await beat(pool.name, { name, heartbeat_interval_seconds: 10 });
    expect(await workersOf(pool.name)).toMatchObject([{ status: "ONLINE" }]);
  });

  it("does not take a connected worker with it, whose copy is as old as its connection", async ({ expect }) => {
    const pool = Pool.ofRealRuns();
    await call("POST", "/work_pools/", { name: pool.name });
    const connected = `connected-${pool.name}`;
    const silent = `silent-${pool.name}`;
    await pool.connect(connected);
    await until("the copy of the worker", async () => (await workersOf(pool.name)).length === 1);
    await beat(pool.name, { name: silent });
    for (const name of [connected, silent]) await silentFor(name, 3_600);
    await tick();
    expect(await workersOf(pool.name)).toMatchObject([
      { name: connected, status: "ONLINE" },
      { name: silent, status: "OFFLINE" },
    ]);
  });

  it.for([
    [{}, 422],
    [{ name: "" }, 422],
    [{ name: "w", heartbeat_interval_seconds: 0 }, 422],
    [{ name: "w", heartbeat_interval_seconds: 1.5 }, 422],
    [{ name: "x".repeat(256) }, 422],
  ] as const)("that says %j gets %d", async ([body, status], { expect }) => {
    expect(await beat((await aPool()).name, body)).toBe(status);
  });

  it("needs a pool that exists", async ({ expect }) => {
    expect(await beat("no-such-pool", { name: "w" })).toBe(404);
  });
});

describe("queues of a pool", () => {
  it("are renamed, but not to a name that another one has", async ({ expect }) => {
    const pool = await aPool();
    const of = `/work_pools/${pool.name}/queues`;
    await call("POST", of, { name: "fast", priority: 2 });
    expect((await call("PATCH", `${of}/fast`, { name: "default" })).status).toBe(409);
    expect((await call("PATCH", `${of}/fast`, { name: "faster", priority: 3 })).status).toBe(204);
    expect((await call("PATCH", `${of}/fast`, { priority: 1 })).status).toBe(404);
    expect((await call("GET", `${of}/faster`)).body).toMatchObject({ name: "faster", priority: 3 });
    expect((await call("DELETE", `${of}/faster`)).status).toBe(204);
    expect((await call("GET", `${of}/faster`)).status).toBe(404);
  });
});

describe("the priorities of a pool's queues", () => {
  it("are their order: a new queue is last unless it says otherwise, and a taken place moves the others back", async ({
    expect,
  }) => {
    const pool = await aPool();
    const create = (name: string, more: object = {}) =>
      call("POST", `/work_pools/${pool.name}/queues`, { name, ...more });
    await create("second");
    await create("first", { priority: 1 });
    const order = async () =>
      (await call<{ name: string; priority: number }[]>("POST", `/work_pools/${pool.name}/queues/filter`, {})).body.map(
        ({ name, priority }) => `${priority} ${name}`,
      );
    expect(await order()).toEqual(["1 first", "2 default", "3 second"]);
    await call("PATCH", `/work_pools/${pool.name}/queues/second`, { priority: 1 });
    expect(await order()).toEqual(["1 second", "2 first", "3 default"]);
  });
});
