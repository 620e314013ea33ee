import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import { MINUTE_MS, movableClock, PATIENT, Pool } from "./support/pools.ts";
import { freshRunId } from "./support/runs.ts";

const moveClock = movableClock();

describe("a pool that loses its memory", () => {
  it("keeps what waits, what is held, its settings and its workers", async ({ expect }) => {
    const pool = await Pool.open({ concurrencyLimit: 2, baseJobTemplate: { variables: {} } });
    const worker = await pool.connect("w1", { limit: 2, queues: ["default"] });
    const first = await pool.offer();
    await pool.offer();
    await worker.waitFor("run", 2);
    const third = await pool.offer();
    await pool.offer({ queue: "other", priority: 0 });
    const before = await pool.status();
    await pool.evict();
    expect(await pool.status()).toEqual({
      ...before,
      workers: [expect.objectContaining({ ...before.workers[0], lastSeenAt: expect.any(Number) })],
    });
    expect(before).toMatchObject({ ready: 2, held: 2, workers: [{ name: "w1", active: 2, online: true }] });
    await pool.stub.release(first);
    worker.release();
    await worker.waitFor("run", 3);
    expect(worker.runs[2]).toBe(third);
  });

  it("pushes through a hibernated socket", async ({ expect }) => {
    const pool = await Pool.open();
    const worker = await pool.connect("w1");
    await pool.evict();
    const id = await pool.offer();
    await worker.waitFor("run");
    expect(worker.runs).toEqual([id]);
  });

  it("keeps its alarm for future runs", async ({ expect }) => {
    const pool = await Pool.open(PATIENT);
    const worker = await pool.connect("w1");
    const id = await pool.offer({ dueInMs: MINUTE_MS });
    await pool.evict();
    await pool.offer({ dueInMs: 2 * MINUTE_MS });
    moveClock(MINUTE_MS);
    expect(await runDurableObjectAlarm(pool.stub)).toBe(true);
    await worker.waitFor("run");
    expect(worker.runs).toEqual([id]);
  });

  it("knows after a crash that nobody is connected, and takes the runs that come back", async ({ expect }) => {
    const pool = await Pool.open();
    const worker = await pool.connect("w1", { limit: 2 });
    const [kept, gone] = [await pool.offer(), await pool.offer()];
    await worker.waitFor("run", 2);
    await pool.crash();
    expect((await pool.status()).workers).toMatchObject([{ name: "w1", online: false, active: 2 }]);
    expect(await pool.stub.workerOnline("w1", kept)).toBe(false);
    const waiting = await pool.offer();
    const back = await pool.connect("w1", { limit: 2, runs: [{ flow_run_id: kept, generation: 1 }] });
    await back.waitFor("run");
    expect(back.runs).toEqual([waiting]);
    expect(await pool.stub.workerOnline("w1", kept)).toBe(true);
    expect(await pool.stub.workerOnline("w1", gone)).toBe(false);
  });

  it("writes nothing when it is only asked", async ({ expect }) => {
    const stub = env.WORK_POOLS.getByName(crypto.randomUUID());
    expect(await stub.status()).toEqual({ ready: 0, claiming: 0, held: 0, workers: [] });
    await stub.withdraw(freshRunId());
    await stub.release(freshRunId());
    expect(await stub.workerOnline("w1")).toBe(false);
    expect(await stub.kill(freshRunId())).toBe(false);
    const tables = await runInDurableObject(stub, (_, state) =>
      state.storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'").toArray(),
    );
    expect(tables).toEqual([]);
  });
});
