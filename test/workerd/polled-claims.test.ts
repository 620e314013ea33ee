/** Pollers that claim runs by proposing PENDING, beside workers that are connected: one owner of the slots for both. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, it } from "vitest";
import type { FlowRunId, WorkQueueId } from "#protocol/ids";
import { clock } from "../../durable-objects/clock.ts";
import type { QueueSettings } from "../../durable-objects/work-pool-owner.ts";
import { aDeployment, aPool, call } from "./support/api.ts";
import { budget } from "./support/budget.ts";
import { aRun, propose } from "./support/deployed-runs.ts";
import { movableClock, Pool } from "./support/pools.ts";
import { freshRunId, newRun, ownerStub, placement, pooledRun, state } from "./support/runs.ts";

const moveClock = movableClock();

async function create(pool: Pool, queue = "default"): Promise<FlowRunId> {
  const id = freshRunId();
  const place = placement(pool.name);
  const run = { ...pooledRun(id, pool.name), placement: { ...place, queue: { ...place.queue, name: queue } } };
  await ownerStub(id).create(run);
  return id;
}

async function set(id: FlowRunId, type: Parameters<typeof state>[0], force = false): Promise<string> {
  const outcome = await ownerStub(id).setState(id, { state: state(type), force });
  return outcome?.result.status ?? "unknown";
}

const aQueue = (name: string, concurrencyLimit: number | null): QueueSettings => ({
  id: crypto.randomUUID() as WorkQueueId,
  name,
  priority: 1,
  isPaused: false,
  concurrencyLimit,
});

describe("a claim by proposing PENDING", () => {
  it("is refused while the pool is full, and leaves the run where it is in line", async ({ expect }) => {
    const pool = Pool.ofRealRuns();
    await pool.configure({ concurrencyLimit: 1 });
    const [first, second] = [await create(pool), await create(pool)];
    expect(await set(first, "PENDING")).toBe("ACCEPT");
    const refused = await ownerStub(second).setState(second, { state: state("PENDING"), force: false });
    expect(refused?.result).toMatchObject({ status: "ABORT", state: { type: "SCHEDULED" } });
    expect(JSON.stringify(refused?.result.details)).toContain(`No slot is free in the work pool`);
    expect(await pool.status()).toMatchObject({ ready: 1, held: 1 });
    await set(first, "RUNNING");
    await set(first, "COMPLETED");
    await pool.shows("the slot is free", ({ held }) => held === 0);
    expect(await set(second, "PENDING")).toBe("ACCEPT");
    expect(await pool.status()).toMatchObject({ ready: 0, held: 1 });
  });

  it("is refused while the queue is full, whatever the other queues do", async ({ expect }) => {
    const pool = Pool.ofRealRuns();
    await pool.configure({ queues: [aQueue("small", 1)] });
    const [first, second, other] = [await create(pool, "small"), await create(pool, "small"), await create(pool)];
    expect(await set(first, "PENDING")).toBe("ACCEPT");
    expect(await set(second, "PENDING")).toBe("ABORT");
    expect(await set(other, "PENDING")).toBe("ACCEPT");
  });

  it("succeeds for one of two pollers, and the other gives back nothing that is not its own", async ({ expect }) => {
    const pool = Pool.ofRealRuns();
    await pool.configure({ concurrencyLimit: 1 });
    const [id, next] = [await create(pool), await create(pool)];
    const outcomes = await Promise.all([set(id, "PENDING"), set(id, "PENDING"), set(id, "PENDING")]);
    expect(outcomes.toSorted()).toEqual(["ABORT", "ABORT", "ACCEPT"]);
    expect((await pool.status()).held).toBe(1);
    expect(await set(next, "PENDING")).toBe("ABORT");
  });

  it("takes the run from connected workers, and a pushed run from pollers", async ({ expect }) => {
    const pool = Pool.ofRealRuns();
    const polled = await create(pool);
    expect(await set(polled, "PENDING")).toBe("ACCEPT");
    const worker = await pool.connect("w1", { limit: 5 });
    const pushed = await create(pool);
    await worker.waitFor("run");
    expect(worker.runs).toEqual([pushed]);
    expect(await set(pushed, "PENDING")).toBe("ABORT");
    expect((await pool.status()).held).toBe(2);
  });

  it("holds its slot for as long as the run is in hand, whatever the pool's object forgets", async ({ expect }) => {
    const pool = Pool.ofRealRuns();
    await pool.configure({ concurrencyLimit: 1 });
    const id = await create(pool);
    await set(id, "PENDING");
    moveClock(20_000);
    await runDurableObjectAlarm(pool.stub);
    await pool.evictReal();
    expect((await pool.status()).held).toBe(1);
    expect(await set(await create(pool), "PENDING")).toBe("ABORT");
  });

  it("gives its slot back when nothing came of it, and the run waits again", async ({ expect }) => {
    const pool = Pool.ofRealRuns();
    await pool.configure({ concurrencyLimit: 1 });
    const id = await create(pool);
    // As after the reset of an owner between the question and the decision.
    const queue = { id: null, name: "default", priority: 1 };
    expect(await pool.stub.reserve({ id, generation: 1, queue })).toMatchObject({ kind: "granted" });
    expect(await pool.status()).toMatchObject({ ready: 0, held: 1 });
    moveClock(20_000);
    await runDurableObjectAlarm(pool.stub);
    expect(await pool.status()).toMatchObject({ ready: 1, held: 0 });
    const worker = await pool.connect("w1");
    await worker.waitFor("run");
    expect(worker.runs).toEqual([id]);
  });

  it("is asked after until its owner has said what became of it", async ({ expect }) => {
    const pool = Pool.ofRealRuns();
    const queue = { id: null, name: "default", priority: 1 };
    await runInDurableObject(pool.stub, (instance) => {
      const { holdsClaim } = instance;
      instance.holdsClaim = () => {
        instance.holdsClaim = holdsClaim;
        return Promise.reject(new Error("It is not there."));
      };
    });
    await pool.stub.reserve({ id: freshRunId(), generation: 1, queue });
    moveClock(11_000);
    expect([await runDurableObjectAlarm(pool.stub), (await pool.status()).held]).toEqual([true, 1]);
    moveClock(5_000);
    expect([await runDurableObjectAlarm(pool.stub), (await pool.status()).held]).toEqual([true, 0]);
  });

  it("is too young to be asked after, and is asked after at its time, where an earlier one is", async ({ expect }) => {
    const pool = Pool.ofRealRuns();
    const queue = { id: null, name: "default", priority: 1 };
    for (let count = 0; count < 2; count++) {
      await pool.stub.reserve({ id: freshRunId(), generation: 1, queue });
      moveClock(6_000);
    }
    expect([await runDurableObjectAlarm(pool.stub), (await pool.status()).held]).toEqual([true, 1]);
    moveClock(5_000);
    expect([await runDurableObjectAlarm(pool.stub), (await pool.status()).held]).toEqual([true, 0]);
  });

  it("keeps a run that is offered meanwhile from connected workers, until it is given back", async ({ expect }) => {
    const pool = await Pool.open();
    const worker = await pool.connect("w1", { limit: 2 });
    const id = freshRunId();
    await pool.stub.reserve({ id, generation: 1, queue: { id: null, name: "default", priority: 1 } });
    await pool.offer({ id });
    expect(pool.owners.asked).toEqual([]);
    await pool.stub.release(id, 1);
    await worker.waitFor("run");
    expect(worker.runs).toEqual([id]);
  });

  it("needs no second slot for the run that has one", async ({ expect }) => {
    const pool = Pool.ofRealRuns();
    await pool.configure({ concurrencyLimit: 1 });
    const id = freshRunId();
    const queue = { id: null, name: "default", priority: 1 };
    for (const generation of [1, 1, 2]) {
      expect(await pool.stub.reserve({ id, generation, queue })).toEqual({ kind: "granted", isTaken: true });
      expect((await pool.status()).held).toBe(1);
    }
  });

  it("occupies no slot when it was forced", async ({ expect }) => {
    const pool = Pool.ofRealRuns();
    await pool.configure({ concurrencyLimit: 0 });
    const id = await create(pool);
    expect(await set(id, "PENDING", true)).toBe("ACCEPT");
    expect((await pool.status()).held).toBe(0);
  });
});

describe("the lease of a claim by proposing PENDING", () => {
  const SECOND_MS = 1_000;
  /** Of Prefect's workers, in seconds. */
  const HEARTBEAT = 30;
  let named = 0;

  /** A pool of one slot in D1 as well, with a run that a worker of it has claimed. */
  async function claimed(): Promise<{ pool: Pool; id: FlowRunId; beat(): Promise<void>; label(): Promise<void> }> {
    const name = (await aPool(`leased-${++named}`)).name;
    await call("POST", `/work_pools/${name}/workers/heartbeat`, {
      name: "w1",
      heartbeat_interval_seconds: HEARTBEAT,
    });
    const pool = Pool.ofRealRuns(name);
    await pool.configure({ concurrencyLimit: 1 });
    const id = await create(pool);
    // The object listens for longer than a term, so that its own start is no excuse.
    moveClock(600 * SECOND_MS);
    const verdict = await set(id, "PENDING");
    if (verdict !== "ACCEPT") throw new Error(`The claim was answered ${verdict}.`);
    return {
      pool,
      id,
      // The test's clock is not the one by which the route writes.
      beat: async () => {
        await env.DB.prepare("UPDATE workers SET last_heartbeat_time = ? WHERE name = 'w1'").bind(clock.now()).run();
      },
      label: async () => {
        await ownerStub(id).addLabels(id, { "prefect.worker.name": "w1" });
      },
    };
  }

  async function passes(id: FlowRunId, seconds: number): Promise<string | null | undefined> {
    moveClock(seconds * SECOND_MS);
    await runDurableObjectAlarm(ownerStub(id));
    return (await ownerStub(id).read(id))?.state_type;
  }

  const report = (id: FlowRunId, name: string) =>
    ownerStub(id).setState(id, { state: state("PENDING", { name }), force: false });

  it("ends when nothing is heard of its holder: the run waits again, and its slot is free", async ({ expect }) => {
    const { pool, id } = await claimed();
    expect(await passes(id, 89)).toBe("PENDING");
    expect(await passes(id, 2)).toBe("SCHEDULED");
    await pool.shows("the slot is free, and the run in line", ({ held, ready }) => held === 0 && ready === 1);
    const { state: now } = (await ownerStub(id).read(id)) ?? {};
    expect(now?.message).toBe(
      "Somebody who polls claimed it, and nothing started it. The run waits for a worker again.",
    );
    moveClock(2 * SECOND_MS);
    expect(await set(id, "PENDING")).toBe("ACCEPT");
    expect((await pool.status()).held).toBe(1);
  });

  it("goes on while the worker that labelled the run sends heartbeats", async ({ expect }) => {
    const { id, beat, label } = await claimed();
    await label();
    for (let minutes = 0; minutes < 10; minutes++) {
      await beat();
      expect(await passes(id, 60)).toBe("PENDING");
    }
    expect(await passes(id, 120)).toBe("SCHEDULED");
    expect((await ownerStub(id).read(id))?.state?.message).toContain('Worker "w1" claimed it');
  });

  it("goes on with each report of infrastructure, also one that says nothing new", async ({ expect }) => {
    const { id } = await claimed();
    await passes(id, 60);
    for (let times = 0; times < 5; times++) {
      await report(id, "InfrastructurePending");
      expect(await passes(id, 290)).toBe("PENDING");
    }
    expect(await passes(id, 11)).toBe("SCHEDULED");
  });

  it("is longer once the run was submitted, since its process may still come", async ({ expect }) => {
    const { id } = await claimed();
    await report(id, "Submitting");
    expect(await passes(id, 299)).toBe("PENDING");
    expect(await set(id, "RUNNING")).toBe("ACCEPT");
    expect(await passes(id, 3_600)).toBe("RUNNING");
  });

  it("does not count the time in which the control plane was away", async ({ expect }) => {
    const { id } = await claimed();
    moveClock(3_600 * SECOND_MS);
    await evictDurableObject(ownerStub(id));
    await ownerStub(id).read(id);
    expect(await passes(id, 0)).toBe("PENDING");
    expect(await passes(id, 91)).toBe("SCHEDULED");
  });

  it("ends three times, then the run is Crashed with the reason of each", async ({ expect }) => {
    const { pool, id } = await claimed();
    for (const outcome of ["SCHEDULED", "SCHEDULED", "CRASHED"]) {
      expect(await passes(id, 91)).toBe(outcome);
      moveClock(10 * SECOND_MS);
      if (outcome === "SCHEDULED") await set(id, "PENDING");
    }
    await pool.shows("all is free", ({ held, ready }) => held === 0 && ready === 0);
    expect((await ownerStub(id).read(id))?.state?.message).toMatch(/1: Somebody.*2: Somebody.*3: Somebody/);
  });

  it("lets only one of two processes run when that of the claim that ended comes after all", async ({ expect }) => {
    const { id } = await claimed();
    await passes(id, 91);
    moveClock(2 * SECOND_MS);
    await set(id, "PENDING");
    expect(await set(id, "RUNNING")).toBe("ACCEPT");
    expect(await set(id, "RUNNING")).toBe("ABORT");
  });

  it("holds for a deployment without a pool as long as somebody asks for its runs", async ({ expect }) => {
    const deployment = await aDeployment();
    const id = await aRun(deployment);
    moveClock(600 * SECOND_MS);
    await propose(id, "PENDING");
    const polls = () =>
      env.DB.prepare("UPDATE deployments SET last_polled = ? WHERE id = ?").bind(clock.now(), deployment.id).run();
    moveClock(60 * SECOND_MS);
    await polls();
    expect(await passes(id, 50)).toBe("PENDING");
    expect(await passes(id, 91)).toBe("SCHEDULED");
  });

  it("is not looked at where a process made the run itself, or insisted", async ({ expect }) => {
    const own = freshRunId();
    await ownerStub(own).create(newRun(own));
    const forced = await create(Pool.ofRealRuns());
    await set(forced, "PENDING", true);
    for (const id of [own, forced]) expect(await passes(id, 3_600)).toBe("PENDING");
  });
});

/**
 * Its teeth, shown with a planted bug: where every other claim that came about gives its slot back, it fails with two
 * claims in a pool of one slot.
 */
it("any number of pollers and workers together never exceed a limit, and all slots are free in the end", {
  timeout: 120_000,
}, async ({ expect }) => {
  const QUEUES = ["default", "small", "default", "small", "default", "small"] as const;
  const claims = fc.record({ kind: fc.constant("claim" as const), at: fc.nat(QUEUES.length - 1) });
  const ends = fc.record({ kind: fc.constantFrom("run" as const, "end" as const), at: fc.nat(QUEUES.length - 1) });
  const step = fc.oneof({ weight: 3, arbitrary: claims }, { weight: 1, arbitrary: ends });
  const round = fc.record({ steps: fc.array(step, { minLength: 3, maxLength: 10 }), isReset: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 2 }),
      fc.boolean(),
      fc.array(round, { minLength: 2, maxLength: 6 }),
      async (poolLimit, queueLimit, hasWorker, rounds) => {
        const pool = Pool.ofRealRuns();
        await pool.configure({ concurrencyLimit: poolLimit, queues: [aQueue("small", queueLimit)] });
        if (hasWorker) await pool.connect("w1", { limit: 2 });
        const runs: { id: FlowRunId; queue: string }[] = [];
        for (const queue of QUEUES) runs.push({ id: await create(pool, queue), queue });
        for (const { steps, isReset } of rounds) {
          const types = { claim: "PENDING", run: "RUNNING", end: "COMPLETED" } as const;
          await Promise.all(
            steps.map(async ({ kind, at }) => {
              const run = runs[at];
              // Nobody starts a run that was not claimed.
              const type = run && (await ownerStub(run.id).read(run.id))?.state_type;
              if (run && (kind !== "run" || type === "PENDING")) await set(run.id, types[kind]);
            }),
          );
          if (isReset) await pool.evictReal();
          const inHand = [];
          for (const run of runs) {
            const type = (await ownerStub(run.id).read(run.id))?.state_type;
            if (type === "PENDING" || type === "RUNNING") inHand.push(run);
          }
          expect(inHand.length).toBeLessThanOrEqual(poolLimit);
          expect(inHand.filter(({ queue }) => queue === "small").length).toBeLessThanOrEqual(queueLimit);
        }
        // Twice: what a worker took meanwhile ends as well.
        for (const { id } of [...runs, ...runs]) await set(id, "COMPLETED");
        moveClock(20_000);
        await runDurableObjectAlarm(pool.stub);
        await pool.shows("all slots are free, nothing waits", ({ held, ready }) => held === 0 && ready === 0);
      },
    ),
    { numRuns: budget({ fast: 20, full: 300 }) },
  );
});
