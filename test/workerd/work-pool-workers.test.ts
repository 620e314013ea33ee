import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import { MINUTE_MS, movableClock, Pool } from "./support/pools.ts";
import { until } from "./support/runs.ts";

const moveClock = movableClock();

describe("a worker's connection", () => {
  it("is welcomed with the pool's settings and an id that stays the same", async ({ expect }) => {
    const pool = await Pool.open({ baseJobTemplate: { job_configuration: {} }, heartbeatIntervalMs: 7_000 });
    const first = await pool.connect("w1");
    first.close();
    const second = await pool.connect("w1");
    const [welcome] = first.all("welcome");
    expect(welcome).toMatchObject({
      protocol: 1,
      heartbeat_interval_ms: 7_000,
      base_job_template: { job_configuration: {} },
    });
    expect(second.all("welcome")[0]?.worker_id).toBe(welcome?.worker_id);
  });

  it("keeps the runs that the worker still has after a reconnect, and frees the others", async ({ expect }) => {
    const pool = await Pool.open();
    const worker = await pool.connect("w1", { limit: 2 });
    const [kept, ended] = [await pool.offer(), await pool.offer()];
    await worker.waitFor("run", 2);
    worker.close();
    await pool.shows("the worker is gone", ({ workers }) => workers[0]?.online === false);
    const waiting = await pool.offer();
    const back = await pool.connect("w1", { limit: 2, runs: [{ flow_run_id: kept, generation: 1 }] });
    await back.waitFor("run");
    expect(back.runs).toEqual([waiting]);
    expect((await pool.status()).workers).toMatchObject([{ active: 2 }]);
    // The owner of the run that ended meanwhile still has to say so.
    expect((await pool.status()).held).toBe(3);
    await pool.stub.release(ended);
    expect((await pool.status()).held).toBe(2);
  });

  it("is told of a new job template before the runs that follow", async ({ expect }) => {
    const pool = await Pool.open();
    const worker = await pool.connect("w1");
    const base_job_template = { job_configuration: { command: "{{ command }}" }, variables: {} };
    await pool.configure({ baseJobTemplate: base_job_template });
    await pool.configure({ baseJobTemplate: base_job_template, concurrencyLimit: 5 });
    await pool.offer();
    await worker.waitFor("run");
    expect(worker.frames.map(({ type }) => type)).toEqual(["welcome", "template", "run"]);
    expect(worker.all("template")).toEqual([{ type: "template", base_job_template }]);
  });

  it("counts processes that the pool had forgotten", async ({ expect }) => {
    const pool = await Pool.open();
    const worker = await pool.connect("w1");
    const id = await pool.offer();
    await worker.waitFor("run");
    worker.close();
    await pool.shows("the worker is gone", ({ workers }) => workers[0]?.online === false);
    await pool.stub.release(id);
    expect(await pool.status()).toMatchObject({ held: 0, workers: [{ active: 0 }] });
    const back = await pool.connect("w1", { runs: [{ flow_run_id: id, generation: 1 }] });
    await pool.offer();
    expect(await pool.status()).toMatchObject({ ready: 1, held: 0, workers: [{ active: 1 }] });
    back.send({ type: "released", flow_run_id: id, generation: 1 });
    await back.waitFor("run");
  });

  it("frees the slot of a run that ends after its worker has gone", async ({ expect }) => {
    const pool = await Pool.open({ concurrencyLimit: 1 });
    const worker = await pool.connect("w1");
    const id = await pool.offer();
    await worker.waitFor("run");
    worker.close();
    const other = await pool.connect("w2");
    const next = await pool.offer();
    expect((await pool.status()).ready).toBe(1);
    await pool.stub.release(id);
    await other.waitFor("run");
    expect(other.runs).toEqual([next]);
    expect(await pool.status()).toMatchObject({
      held: 1,
      workers: [
        { name: "w1", active: 0 },
        { name: "w2", active: 1 },
      ],
    });
  });

  it("takes the place of an older one of the same name", async ({ expect }) => {
    const pool = await Pool.open();
    const older = await pool.connect("w1");
    const newer = await pool.connect("w1");
    expect(await older.waitForClose()).toEqual({ code: 4409, reason: "conflict" });
    expect(older.all("error")[0]?.message).toContain('"w1"');
    const id = await pool.offer();
    await newer.waitFor("run");
    expect(newer.runs).toEqual([id]);
    expect((await pool.status()).workers).toMatchObject([{ name: "w1", online: true }]);
  });

  it("gets no more runs after drain, also when the pool loses its memory", async ({ expect }) => {
    const pool = await Pool.open();
    const worker = await pool.connect("w1", { limit: 2 });
    await pool.offer();
    await worker.waitFor("run");
    worker.send({ type: "drain" });
    await pool.shows("the worker drains", ({ workers }) => workers[0]?.draining === true);
    await pool.offer();
    await pool.evict();
    await pool.offer();
    expect(await pool.status()).toMatchObject({ ready: 2, held: 1, workers: [{ online: true, draining: true }] });
    worker.release();
    await pool.shows("the worker is free", ({ workers }) => workers[0]?.active === 0);
    expect(worker.runs).toHaveLength(1);
  });

  it("gets no run whose claim is answered after the worker has left", async ({ expect }) => {
    const pool = await Pool.open();
    const worker = await pool.connect("w1");
    pool.owners.isSlow = true;
    const offered = pool.offer();
    await pool.shows("a claim under way", (status) => status.claiming === 1);
    worker.close();
    await pool.shows("the worker is gone", ({ workers }) => workers[0]?.online === false);
    pool.owners.isSlow = false;
    const id = await offered;
    expect(await pool.status()).toMatchObject({ ready: 0, held: 0 });
    await pool.connect("w1");
    expect(await pool.stub.workerOnline("w1", id)).toBe(false);
  });

  it("is told to kill a run that it has", async ({ expect }) => {
    const pool = await Pool.open();
    const worker = await pool.connect("w1");
    const id = await pool.offer();
    await worker.waitFor("run");
    expect(await pool.stub.kill(id)).toBe(true);
    expect(await worker.waitFor("kill")).toEqual([{ type: "kill", flow_run_id: id, generation: 1 }]);
    worker.release();
    await pool.shows("the worker is free", ({ workers }) => workers[0]?.active === 0);
    expect(await pool.stub.kill(id)).toBe(false);
  });

  it("is over after three missed heartbeats", async ({ expect }) => {
    const pool = await Pool.open({ heartbeatIntervalMs: 1_000 });
    const worker = await pool.connect("w1");
    moveClock(2_000);
    expect(await pool.stub.workerOnline("w1")).toBe(true);
    moveClock(MINUTE_MS);
    expect(await pool.stub.workerOnline("w1")).toBe(false);
    expect((await pool.status()).workers).toMatchObject([{ online: false }]);
    const id = await pool.offer();
    expect(await worker.waitForClose()).toEqual({ code: 4408, reason: "conflict" });
    expect(await pool.status()).toMatchObject({ ready: 1, held: 0 });
    const back = await pool.connect("w1");
    await back.waitFor("run");
    expect(back.runs).toEqual([id]);
  });

  it("is over when nobody says hello on it for as long", async ({ expect }) => {
    const pool = await Pool.open({ heartbeatIntervalMs: 1_000 });
    const client = await pool.dial();
    await pool.evict();
    moveClock(MINUTE_MS);
    await pool.offer();
    expect((await client.waitForClose()).code).toBe(4408);
  });

  async function aListedPool() {
    const pool = await Pool.open();
    const poolId = crypto.randomUUID();
    await env.DB.prepare(
      "INSERT INTO work_pools (id, name, type, default_queue_id, created, updated) VALUES (?, ?, 'process', ?, 0, 0)",
    )
      .bind(poolId, pool.name, crypto.randomUUID())
      .run();
    const listed = (status: string) =>
      until(`the worker is listed as ${status}`, async () => {
        const row = await env.DB.prepare("SELECT * FROM workers WHERE work_pool_id = ?")
          .bind(poolId)
          .first<{ status: string }>();
        return row?.status === status ? row : null;
      });
    return { pool, listed };
  }

  it("is listed in D1 by the next alarm where D1 failed", async ({ expect }) => {
    const { pool, listed } = await aListedPool();
    await env.DB.prepare("ALTER TABLE workers RENAME TO workers_away").run();
    try {
      await pool.connect("w1");
      await until("the alarm is set", async () =>
        runInDurableObject(pool.stub, (_, { storage }) => storage.getAlarm().then((at) => at !== null)),
      );
    } finally {
      await env.DB.prepare("ALTER TABLE workers_away RENAME TO workers").run();
    }
    expect(await runDurableObjectAlarm(pool.stub)).toBe(true);
    await listed("ONLINE");
  });

  it("is forgotten when it was not seen for a week", async ({ expect }) => {
    const pool = await Pool.open();
    const names = async () => (await pool.status()).workers.map(({ name }) => name);
    (await pool.connect("w1")).close();
    await pool.shows("it has left", ({ workers }) => workers[0]?.online === false);
    moveClock(6 * 24 * 60 * MINUTE_MS);
    (await pool.connect("w2")).close();
    expect(await names()).toEqual(["w1", "w2"]);
    moveClock(2 * 24 * 60 * MINUTE_MS);
    await pool.connect("w3");
    expect(await names()).toEqual(["w2", "w3"]);
  });

  it("is listed in D1 with its pool, online while it lasts and under one id", async ({ expect }) => {
    const { pool, listed } = await aListedPool();
    const worker = await pool.connect("w1");
    const [welcome] = worker.all("welcome");
    expect(await listed("ONLINE")).toMatchObject({
      id: welcome?.worker_id,
      name: "w1",
      type: "process",
      heartbeat_interval_seconds: 10,
    });
    worker.close();
    expect(await listed("OFFLINE")).toMatchObject({ id: welcome?.worker_id });
    await pool.connect("w1");
    expect(await listed("ONLINE")).toMatchObject({ id: welcome?.worker_id });
  });

  it("is kept alive by heartbeats, which write nothing", async ({ expect }) => {
    const pool = await Pool.open({ heartbeatIntervalMs: 50 });
    const worker = await pool.connect("w1");
    const connectedAt = (await pool.status()).workers[0]?.connectedAt ?? 0;
    const beat = setInterval(() => worker.sendRaw("ping"), 20);
    try {
      await pool.shows("four heartbeat intervals", ({ workers }) => (workers[0]?.lastSeenAt ?? 0) > connectedAt + 200);
      expect(await pool.stub.workerOnline("w1")).toBe(true);
    } finally {
      clearInterval(beat);
    }
  });

  it.for([
    { sent: "{", code: 4400, reason: "bad_json", says: "not JSON" },
    { sent: '{"type":"jump"}', code: 4400, reason: "validation", says: '"jump"' },
    { sent: '{"type":"drain"}', code: 4400, reason: "validation", says: '"drain" arrived before hello' },
    {
      sent: '{"type":"hello","protocol":1,"worker_name":"w1","worker_type":"process","limit":0}',
      code: 4400,
      reason: "validation",
      says: "Field limit",
    },
    {
      sent: '{"type":"hello","protocol":2,"name":"w1"}',
      code: 4426,
      reason: "protocol_unsupported",
      says: "version 2",
    },
  ])("is closed with $code $reason for $sent", async ({ sent, code, reason, says }, { expect }) => {
    const pool = await Pool.open();
    const client = await pool.dial();
    client.sendRaw(sent);
    expect(await client.waitForClose()).toEqual({ code, reason });
    const [error] = client.all("error");
    expect(error).toMatchObject({
      code: reason,
      message: expect.stringContaining(says),
      fix: expect.stringMatching(/\.$/),
    });
    expect((await pool.status()).workers).toEqual([]);
  });

  it("is closed for a second hello and for a binary frame", async ({ expect }) => {
    const pool = await Pool.open();
    const twice = await pool.connect("w1");
    twice.send({ type: "hello", protocol: 1, worker_name: "w2", worker_type: "process", limit: 1 });
    expect((await twice.waitForClose()).code).toBe(4400);
    const binary = await pool.connect("w3");
    binary.sendRaw(new ArrayBuffer(4));
    expect((await binary.waitForClose()).code).toBe(4400);
    expect((await pool.status()).workers.map(({ online }) => online)).toEqual([false, false]);
  });

  it("is refused with a sentence when it is not a WebSocket", async ({ expect }) => {
    const pool = await Pool.open();
    const response = await pool.stub.fetch("https://pool/channel");
    expect(response.status).toBe(426);
    expect(await response.json()).toMatchObject({
      code: "protocol_unsupported",
      fix: expect.stringContaining("Upgrade"),
    });
  });

  it("ends when the pool is deleted, with everything that waited", async ({ expect }) => {
    const pool = await Pool.open({ concurrencyLimit: 1 });
    const worker = await pool.connect("w1");
    await pool.offer();
    await pool.offer();
    await pool.stub.remove();
    expect((await worker.waitForClose()).code).toBe(4404);
    expect(await pool.status()).toEqual({ ready: 0, claiming: 0, held: 0, workers: [] });
    await pool.connect("w2", { limit: 2 });
    await pool.offer();
    await pool.offer();
    expect((await pool.status()).held).toBe(2);
  });
});
