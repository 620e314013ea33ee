import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, it } from "vitest";
import type { EpochMs } from "#protocol/time";
import { ClaimBackoff } from "../../durable-objects/claim-backoff.ts";
import { markLateRuns } from "../../durable-objects/pool-late-runs.ts";
import { PoolStore } from "../../durable-objects/storage/pool-store.ts";
import { MINUTE_MS, movableClock, offer, PATIENT, Pool } from "./support/pools.ts";
import { freshRunId, runIdInShard, until } from "./support/runs.ts";

const moveClock = movableClock();

describe("a pool and the runs it is offered", () => {
  it("pushes a due run at once to a connected worker, claimed in its name", async ({ expect }) => {
    const pool = await Pool.open();
    const worker = await pool.connect("w1");
    const id = await pool.offer();
    const [run] = await worker.waitFor("run");
    expect(run?.ticket).toMatchObject({ flow_run_id: id, generation: 1, entrypoint: "flow.ts:main" });
    expect(pool.owners.asked).toEqual([{ id, worker: "w1" }]);
    expect(await pool.status()).toMatchObject({ ready: 0, held: 1 });
  });

  it("keeps a run until a worker connects", async ({ expect }) => {
    const pool = await Pool.open();
    const id = await pool.offer();
    expect(await pool.status()).toMatchObject({ ready: 1, held: 0 });
    const worker = await pool.connect("w1");
    await worker.waitFor("run");
    expect(worker.runs).toEqual([id]);
    expect((await pool.status()).ready).toBe(0);
  });

  it("starts runs by the priority of their queue, then by due time, then by id", async ({ expect }) => {
    const pool = await Pool.open();
    // Ids of one moment sort by their shard numbers.
    const [early, late] = [runIdInShard(7), runIdInShard(8)];
    const second = await pool.offer({ id: late, dueInMs: -2_000, priority: 1 });
    const fourth = await pool.offer({ dueInMs: -9_000, priority: 2 });
    const third = await pool.offer({ dueInMs: -1_000, priority: 1 });
    const dueAt = offer({ dueInMs: -2_000 }).due_at;
    pool.owners.wait(early);
    await pool.stub.offer({ ...offer({ id: early }), due_at: dueAt });
    await pool.stub.offer({ ...offer({ id: second }), due_at: dueAt });
    const worker = await pool.connect("w1", { limit: 4 });
    await worker.waitFor("run", 4);
    expect(worker.runs).toEqual([early, second, third, fourth]);
  });

  it("pushes a future run when its alarm fires, and not before", async ({ expect }) => {
    const pool = await Pool.open(PATIENT);
    const worker = await pool.connect("w1");
    const id = await pool.offer({ dueInMs: 5 * MINUTE_MS });
    expect(await runDurableObjectAlarm(pool.stub)).toBe(true);
    expect((await pool.status()).ready).toBe(1);
    moveClock(5 * MINUTE_MS);
    expect(await runDurableObjectAlarm(pool.stub)).toBe(true);
    await worker.waitFor("run");
    expect(worker.runs).toEqual([id]);
  });

  it("gives a worker that asked for it runs before they are due, and no other one", async ({ expect }) => {
    const pool = await Pool.open(PATIENT);
    const patient = await pool.connect("patient", { limit: 5 });
    const known = await pool.offer({ dueInMs: MINUTE_MS });
    const eager = await pool.connect("eager", { limit: 2, prefetchMs: 2 * MINUTE_MS });
    await until("the run that was known", async () => eager.runs.includes(known));
    const offered = await pool.offer({ dueInMs: MINUTE_MS });
    await until("the run that was offered", async () => eager.runs.includes(offered));
    // It has no room any more, so this one begins when it is due.
    const third = await pool.offer({ dueInMs: MINUTE_MS });
    expect(await pool.status()).toMatchObject({ ready: 1, held: 2 });
    moveClock(MINUTE_MS);
    expect(await runDurableObjectAlarm(pool.stub)).toBe(true);
    await until("the run that is due", async () => patient.runs.includes(third));
    expect(patient.runs).toEqual([third]);
  });

  it("wakes as long before a run is due as a worker asked for", async ({ expect }) => {
    const pool = await Pool.open(PATIENT);
    await pool.offer({ dueInMs: 10 * MINUTE_MS });
    const worker = await pool.connect("eager", { limit: 5, prefetchMs: MINUTE_MS });
    const id = await pool.offer({ dueInMs: MINUTE_MS + 200 });
    await worker.waitFor("run");
    expect(worker.runs).toEqual([id]);
  });

  it("wakes by itself for a run that is due soon", async ({ expect }) => {
    const pool = await Pool.open();
    const worker = await pool.connect("w1", { limit: 2 });
    await pool.offer({ dueInMs: MINUTE_MS });
    const id = await pool.offer({ dueInMs: 100 });
    await worker.waitFor("run");
    expect(worker.runs).toEqual([id]);
  });

  it("pushes once when the alarm fires twice", async ({ expect }) => {
    const pool = await Pool.open(PATIENT);
    const worker = await pool.connect("w1", { limit: 5 });
    await pool.offer({ dueInMs: MINUTE_MS });
    await pool.offer({ dueInMs: 10 * MINUTE_MS });
    moveClock(MINUTE_MS);
    await Promise.all([runDurableObjectAlarm(pool.stub), runDurableObjectAlarm(pool.stub)]);
    await runDurableObjectAlarm(pool.stub);
    await pool.shows("no claim under way", (status) => status.claiming === 0);
    await worker.waitFor("run");
    expect(worker.runs).toHaveLength(1);
    expect(pool.owners.asked).toHaveLength(1);
  });

  it("pushes a run once that is offered twice, one after the other or at the same time", async ({ expect }) => {
    const pool = await Pool.open();
    const worker = await pool.connect("w1", { limit: 5 });
    const id = freshRunId();
    await Promise.all([pool.offer({ id }), pool.stub.offer(offer({ id }))]);
    await pool.evict();
    await pool.stub.offer(offer({ id }));
    const last = await pool.offer();
    await until("the last run", async () => worker.runs.includes(last));
    expect(worker.runs).toEqual([id, last]);
    expect(await pool.status()).toMatchObject({ ready: 0, held: 2 });
  });

  it("takes the later of two offers of a waiting run", async ({ expect }) => {
    const pool = await Pool.open(PATIENT);
    const id = await pool.offer();
    await pool.stub.offer(offer({ id, dueInMs: MINUTE_MS }));
    const worker = await pool.connect("w1");
    await pool.shows("nothing under way", (status) => status.claiming === 0);
    expect(pool.owners.asked).toEqual([]);
    moveClock(MINUTE_MS);
    await runDurableObjectAlarm(pool.stub);
    await worker.waitFor("run");
    expect(worker.runs).toEqual([id]);
  });

  it("does not lose an offer that arrives while an earlier claim of the run is refused", async ({ expect }) => {
    const pool = await Pool.open(PATIENT);
    const worker = await pool.connect("w1");
    pool.owners.isSlow = true;
    const id = freshRunId();
    const first = pool.stub.offer(offer({ id }));
    await pool.shows("a claim under way", (status) => status.claiming === 1);
    const second = pool.stub.offer(offer({ id, dueInMs: MINUTE_MS }));
    pool.owners.isSlow = false;
    await Promise.all([first, second]);
    expect((await pool.status()).ready).toBe(1);
    pool.owners.wait(id);
    moveClock(MINUTE_MS);
    await runDurableObjectAlarm(pool.stub);
    await worker.waitFor("run");
    expect(worker.runs).toEqual([id]);
  });

  it("forgets a run that its owner does not give away", async ({ expect }) => {
    const pool = await Pool.open();
    const waiting = offer();
    await pool.stub.offer(waiting);
    const worker = await pool.connect("w1");
    await pool.shows("nothing waits", (status) => status.ready === 0 && status.claiming === 0);
    expect(pool.owners.asked).toHaveLength(1);
    expect(worker.runs).toEqual([]);
    expect((await pool.status()).held).toBe(0);
  });

  it("forgets a run that is withdrawn", async ({ expect }) => {
    const pool = await Pool.open();
    const id = await pool.offer();
    await pool.stub.withdraw(id);
    const worker = await pool.connect("w1");
    const other = await pool.offer();
    await worker.waitFor("run");
    expect(worker.runs).toEqual([other]);
  });

  it("asks again when a claim fails, and pushes once", async ({ expect }) => {
    const pool = await Pool.open();
    const worker = await pool.connect("w1");
    const overloaded = Object.assign(new Error("too many requests"), { overloaded: true });
    pool.owners.faults = [
      { error: new Error("network connection lost"), afterwards: false },
      { error: overloaded, afterwards: false },
    ];
    const id = await pool.offer();
    expect((await pool.status()).ready).toBe(1);
    await worker.waitFor("run");
    expect(worker.runs).toEqual([id]);
    expect(pool.owners.asked).toHaveLength(3);
    expect(await pool.status()).toMatchObject({ ready: 0, held: 1 });
  });

  it("pushes a run once whose claim was made but not answered", async ({ expect }) => {
    const pool = await Pool.open();
    const worker = await pool.connect("w1", { limit: 2 });
    pool.owners.faults = [{ error: new Error("network connection lost"), afterwards: true }];
    const id = await pool.offer();
    const [run] = await worker.waitFor("run");
    expect(run?.ticket).toMatchObject({ flow_run_id: id, generation: 1 });
    expect(pool.owners.asked).toHaveLength(2);
    expect(await pool.stub.workerOnline("w1", id)).toBe(true);
  });

  it("starts other runs while one run's claims fail", async ({ expect }) => {
    const pool = await Pool.open();
    const worker = await pool.connect("w1", { limit: 1 });
    pool.owners.faults = [{ error: new Error("this run is broken"), afterwards: false }];
    await pool.offer();
    const other = await pool.offer();
    await worker.waitFor("run");
    expect(worker.runs).toEqual([other]);
  });

  it("asks again for a run whose claim failed, after its alarm was needed for another one before", async ({
    expect,
  }) => {
    const pool = await Pool.open();
    const worker = await pool.connect("w1", { limit: 2 });
    const soon = await pool.offer({ dueInMs: 100 });
    pool.owners.faults = [{ error: new Error("network connection lost"), afterwards: false }];
    const failed = await pool.offer();
    await worker.waitFor("run", 2);
    expect([...worker.runs].sort()).toEqual([soon, failed].sort());
  });

  it("refuses an id that leads to no owner", async ({ expect }) => {
    const pool = await Pool.open();
    const id = crypto.randomUUID() as ReturnType<typeof freshRunId>;
    await runInDurableObject(pool.stub, async (instance) => {
      await expect(instance.offer(offer({ id }))).rejects.toThrow(`Flow run id ${id} leads to no owner`);
    });
  });
});

describe("a claim that fails", () => {
  const [broken, sibling, stranger] = [runIdInShard(1), runIdInShard(1), runIdInShard(2)];
  const now = 1_000_000 as EpochMs;
  const at = (spanMs: number) => (now + spanMs) as EpochMs;
  const error = new Error("this run is broken");
  const overloaded = Object.assign(new Error("too many requests"), { overloaded: true });

  it("is asked for again later each time, up to half a minute, and at once after an answer", ({ expect }) => {
    const backoff = new ClaimBackoff();
    const spans = Array.from({ length: 9 }, () => backoff.failed(broken, error, now, 1) - now);
    expect(spans).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(backoff.failed(broken, error, now, 0) - now).toBe(15_000);
    expect([backoff.blocks(broken, at(14_999)), backoff.blocks(broken, at(15_000))]).toEqual([true, false]);
    backoff.answered(broken);
    expect([backoff.blocks(broken, now), backoff.nextRetryAt(now)]).toEqual([false, null]);
    expect(backoff.failed(broken, error, now, 1) - now).toBe(250);
    backoff.forget(broken);
    expect([backoff.blocks(broken, now), backoff.nextRetryAt(now)]).toEqual([false, null]);
  });

  it("keeps back its own run, or all runs of an owner that could not be asked", ({ expect }) => {
    const backoff = new ClaimBackoff();
    const blocked = () => [broken, sibling, stranger].map((id) => backoff.blocks(id, now));
    backoff.failed(broken, error, now, 1);
    expect(blocked()).toEqual([true, false, false]);
    backoff.failed(broken, overloaded, now, 1);
    backoff.failed(sibling, overloaded, now, 1);
    expect(blocked()).toEqual([true, true, false]);
    expect([broken, sibling, stranger].map((id) => backoff.retryAt(id, now))).toEqual([at(500), at(500), null]);
    expect(backoff.nextRetryAt(now)).toBe(at(250));
    backoff.answered(sibling);
    expect(blocked()).toEqual([true, false, false]);
    expect(backoff.retryAt(broken, now)).toBe(at(250));
  });
});

it("late runs whose owners cannot be told are told again after a moment, and a page of others has its next at once", async ({
  expect,
}) => {
  const pool = Pool.ofRealRuns();
  const due = Array.from({ length: 101 }, () => offer({ dueInMs: -16_000 }));
  await Promise.all(due.map((run) => pool.stub.offer(run)));
  const now = Math.max(...due.map((run) => run.due_at)) as EpochMs;
  const later = (now + 20_000) as EpochMs;
  await runInDurableObject(pool.stub, async (_, { storage }) => {
    const store = new PoolStore(storage);
    const told: string[] = [];
    const outcomes = [
      await markLateRuns(store, later, () => Promise.reject(new Error("It is not there."))),
      await markLateRuns(store, later, async (id) => void told.push(id)),
      await markLateRuns(store, later, async (id) => void told.push(id)),
    ];
    expect(outcomes).toEqual([later + 1_000, later, null]);
    expect(new Set(told).size).toBe(101);
    expect(told).toHaveLength(101);
  });
});
