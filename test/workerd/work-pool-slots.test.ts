import { describe, it } from "vitest";
import { Pool } from "./support/pools.ts";
import { freshRunId, until } from "./support/runs.ts";

describe("a pool's slots", () => {
  it("never gives a worker more than its limit, however many offers arrive at once", async ({ expect }) => {
    const pool = await Pool.open();
    const worker = await pool.connect("w1", { limit: 3 });
    await Promise.all(Array.from({ length: 10 }, () => pool.offer()));
    await worker.waitFor("run", 3);
    expect(pool.owners.asked).toHaveLength(3);
    expect(await pool.status()).toMatchObject({ ready: 7, claiming: 0, held: 3 });
  });

  it("never has more runs in progress than the pool's limit, however many offers arrive at once", async ({
    expect,
  }) => {
    const pool = await Pool.open({ concurrencyLimit: 2 });
    const workers = [await pool.connect("w1", { limit: 5 }), await pool.connect("w2", { limit: 5 })];
    await Promise.all(Array.from({ length: 10 }, () => pool.offer()));
    await until("two runs", async () => workers.flatMap((worker) => worker.runs).length === 2);
    expect(pool.owners.asked).toHaveLength(2);
    expect(await pool.status()).toMatchObject({ ready: 8, claiming: 0, held: 2 });
  });

  it("gives each run to the worker with the most free slots", async ({ expect }) => {
    const pool = await Pool.open();
    const small = await pool.connect("small", { limit: 1 });
    const large = await pool.connect("large", { limit: 3 });
    for (let index = 0; index < 4; index++) await pool.offer();
    await small.waitFor("run", 1);
    await large.waitFor("run", 3);
    expect(pool.owners.asked.slice(0, 2).map(({ worker }) => worker)).toEqual(["large", "large"]);
  });

  it("gives a worker runs of its queues only", async ({ expect }) => {
    const pool = await Pool.open();
    await pool.offer({ queue: "slow", priority: 1 });
    const fast = await pool.offer({ queue: "fast", priority: 9 });
    const worker = await pool.connect("w1", { limit: 5, queues: ["fast", "other"] });
    await worker.waitFor("run");
    const direct = await pool.offer({ queue: "fast" });
    await worker.waitFor("run", 2);
    expect(worker.runs).toEqual([fast, direct]);
    expect((await pool.status()).ready).toBe(1);
  });

  it("starts the next run when both the owner and the worker have released one", async ({ expect }) => {
    const pool = await Pool.open({ concurrencyLimit: 1 });
    const worker = await pool.connect("w1");
    const first = await pool.offer();
    const next = await pool.offer();
    await worker.waitFor("run");
    worker.release();
    await pool.shows("the worker is free", ({ workers }) => workers[0]?.active === 0);
    expect(worker.runs).toEqual([first]);
    await pool.stub.release(first, 1);
    await worker.waitFor("run", 2);
    expect(worker.runs).toEqual([first, next]);
    expect(await pool.status()).toMatchObject({ ready: 0, held: 1 });
  });

  it("counts a run for its worker until the worker says that the process is gone", async ({ expect }) => {
    const pool = await Pool.open();
    const worker = await pool.connect("w1");
    const first = await pool.offer();
    await worker.waitFor("run");
    await pool.stub.release(first);
    await pool.offer();
    expect(await pool.status()).toMatchObject({ ready: 1, held: 0, workers: [{ active: 1 }] });
    worker.release();
    await worker.waitFor("run", 2);
    expect(await pool.status()).toMatchObject({ ready: 0, held: 1, workers: [{ active: 1 }] });
  });

  it("counts a run for its worker whatever another worker says of it", async ({ expect }) => {
    const pool = await Pool.open();
    const worker = await pool.connect("w1");
    const id = await pool.offer();
    await worker.waitFor("run");
    const other = await pool.connect("w2", { queues: ["other"] });
    other.send({ type: "released", flow_run_id: id, generation: 1 });
    await pool.stub.release(id);
    // Frames of one socket are handled in their order.
    other.send({ type: "drain" });
    await pool.shows("the frame was handled", ({ workers }) => workers.some(({ draining }) => draining));
    expect((await pool.status()).workers).toMatchObject([{ name: "w1", active: 1 }, { name: "w2" }]);
    worker.release();
    await pool.shows("the worker is free", ({ workers }) => workers[0]?.active === 0);
  });

  it("does not free the slot of a claim for a release of an earlier one", async ({ expect }) => {
    const pool = await Pool.open({ concurrencyLimit: 1 });
    const worker = await pool.connect("w1", { limit: 5 });
    const id = await pool.offer();
    await worker.waitFor("run");
    // The run comes back before its slot was released: it needs no second one.
    await pool.offer({ id });
    await worker.waitFor("run", 2);
    expect(await pool.status()).toMatchObject({ ready: 0, held: 1, workers: [{ active: 2 }] });
    await pool.stub.release(id, 1);
    expect((await pool.status()).held).toBe(1);
    await pool.stub.release(id, 2);
    expect((await pool.status()).held).toBe(0);
  });

  it("does not hold a claim whose release was quicker than the claim's answer", async ({ expect }) => {
    const pool = await Pool.open();
    const worker = await pool.connect("w1");
    pool.owners.isSlow = true;
    const id = freshRunId();
    const offered = pool.offer({ id });
    await pool.shows("a claim under way", (status) => status.claiming === 1);
    await pool.stub.release(id);
    pool.owners.isSlow = false;
    await offered;
    expect(await pool.status()).toMatchObject({ ready: 0, held: 0, workers: [{ active: 0 }] });
    expect(worker.runs).toEqual([]);
  });

  it("pushes nothing while the pool is paused, and everything after", async ({ expect }) => {
    const pool = await Pool.open({ isPaused: true });
    const worker = await pool.connect("w1", { limit: 2 });
    const ids = [await pool.offer(), await pool.offer()];
    expect(await pool.status()).toMatchObject({ ready: 2, claiming: 0, held: 0 });
    await pool.configure({ isPaused: false });
    await worker.waitFor("run", 2);
    expect(worker.runs.toSorted()).toEqual(ids.toSorted());
  });

  it("starts waiting runs when the pool's limit is raised", async ({ expect }) => {
    const pool = await Pool.open({ concurrencyLimit: 0 });
    const worker = await pool.connect("w1", { limit: 2 });
    await pool.offer();
    expect((await pool.status()).ready).toBe(1);
    await pool.configure({ concurrencyLimit: 1 });
    await worker.waitFor("run");
    expect((await pool.status()).held).toBe(1);
  });
});
