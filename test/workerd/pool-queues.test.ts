/** The queues of a pool: their limits, pauses and priorities. */
import { describe, it } from "vitest";
import type { WorkQueueId } from "#protocol/ids";
import type { QueueSettings } from "../../durable-objects/work-pool-owner.ts";
import { Pool } from "./support/pools.ts";

function aQueue(name: string, more: Partial<QueueSettings> = {}): QueueSettings {
  return {
    id: crypto.randomUUID() as WorkQueueId,
    name,
    priority: 1,
    isPaused: false,
    concurrencyLimit: null,
    ...more,
  };
}

describe("the queues of a pool", () => {
  it("have no more runs in progress than their limits allow, and a full one does not block those behind it", async ({
    expect,
  }) => {
    const pool = await Pool.open({
      queues: [aQueue("urgent", { concurrencyLimit: 1 }), aQueue("rest", { priority: 2 })],
    });
    const worker = await pool.connect("w1", { limit: 10 });
    const urgent = [await pool.offer({ queue: "urgent" }), await pool.offer({ queue: "urgent" })];
    const rest = [await pool.offer({ queue: "rest", priority: 2 }), await pool.offer({ queue: "rest", priority: 2 })];
    await worker.waitFor("run", 3);
    expect(worker.runs).toEqual([urgent[0], ...rest]);
    expect(await pool.status()).toMatchObject({ ready: 1, held: 3 });
    await pool.stub.release(urgent[0] ?? rest[0] ?? (await pool.offer()), 1);
    await worker.waitFor("run", 4);
    expect(worker.runs.at(-1)).toBe(urgent[1]);
  });

  it("start again what waited in a full queue when many wait behind others", async ({ expect }) => {
    const queues = [aQueue("a", { concurrencyLimit: 1 }), aQueue("b", { priority: 2, concurrencyLimit: 2 })];
    const pool = await Pool.open({ queues });
    for (let made = 0; made < 3; made++) {
      await pool.offer({ queue: "a" });
      await pool.offer({ queue: "b", priority: 2 });
    }
    const worker = await pool.connect("w1", { limit: 10 });
    await worker.waitFor("run", 3);
    expect(worker.all("run").map(({ ticket }) => ticket.flow_run_id)).toHaveLength(3);
    expect(await pool.status()).toMatchObject({ ready: 3, held: 3, claiming: 0 });
    await pool.configure({ queues: queues.map((queue) => ({ ...queue, concurrencyLimit: null })) });
    await worker.waitFor("run", 6);
  });

  it("give nothing while they are paused, and everything after", async ({ expect }) => {
    const paused = aQueue("paused", { isPaused: true });
    const pool = await Pool.open({ queues: [paused, aQueue("open", { priority: 2 })] });
    const waiting = await pool.offer({ queue: "paused" });
    const worker = await pool.connect("w1", { limit: 5 });
    const direct = await pool.offer({ queue: "paused" });
    const started = await pool.offer({ queue: "open", priority: 2 });
    await worker.waitFor("run");
    expect(worker.runs).toEqual([started]);
    await pool.configure({ queues: [{ ...paused, isPaused: false }] });
    await worker.waitFor("run", 3);
    expect(worker.runs.slice(1).toSorted()).toEqual([waiting, direct].toSorted());
  });

  it("keep what waits in them when they are given another name or priority", async ({ expect }) => {
    const [first, second] = [aQueue("first", { priority: 1 }), aQueue("second", { priority: 2 })];
    const pool = await Pool.open({ queues: [first, second] });
    const a = await pool.offer({ queue: "first", priority: 1 });
    const b = await pool.offer({ queue: "second", priority: 2 });
    await pool.configure({
      queues: [
        { ...first, priority: 3 },
        { ...second, name: "renamed", priority: 2 },
      ],
    });
    const worker = await pool.connect("w1", { limit: 5, queues: ["renamed"] });
    await worker.waitFor("run");
    expect(worker.runs).toEqual([b]);
    // The limit of a queue counts the runs that were given out under its earlier name.
    await pool.configure({
      queues: [
        { ...first, priority: 3 },
        { ...second, name: "renamed", concurrencyLimit: 1 },
      ],
    });
    await pool.offer({ queue: "renamed", priority: 2 });
    expect(await pool.status()).toMatchObject({ ready: 2, held: 1 });
    const other = await pool.connect("w2", { limit: 5 });
    await other.waitFor("run");
    expect(other.runs).toEqual([a]);
  });
});
