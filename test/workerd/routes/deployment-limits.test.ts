/** Runs of deployments that share slots: who polls, who is pushed, and what becomes of those for which there is none. */
import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import type { FlowRunId } from "#protocol/ids";
import { limitObjectName } from "../../../durable-objects/lease-id.ts";
import { aDeployment, aPool, call } from "../support/api.ts";
import { aRun, aWorker, propose, stateOf, type Verdict } from "../support/deployed-runs.ts";
import { movableClock, PATIENT, Pool } from "../support/pools.ts";
import { ownerStub, until } from "../support/runs.ts";

interface Limited {
  readonly id: string;
  readonly concurrency_limit: number | null;
  readonly global_concurrency_limit: { readonly id: string; readonly name: string; readonly limit: number } | null;
}

const moveClock = movableClock();

async function occupancy(limit: string) {
  const path = `/v2/concurrency_limits/${limit}/holders`;
  return (await call<{ active_slots: number; holders: unknown[]; waiters: unknown[] }>("GET", path)).body;
}

async function limitOf(deployment: { readonly id: string }): Promise<NonNullable<Limited["global_concurrency_limit"]>> {
  const { body } = await call<Limited>("GET", `/deployments/${deployment.id}`);
  if (!body.global_concurrency_limit) throw new Error("The deployment has no limit.");
  return body.global_concurrency_limit;
}

describe("a deployment with a limit of its own", () => {
  it("gets a limit under its name, which follows it", async ({ expect }) => {
    const deployment = await aDeployment({ concurrency_limit: 2 });
    const path = `/deployments/${deployment.id}`;
    const limit = await limitOf(deployment);
    expect(limit).toMatchObject({ name: `deployment:${deployment.id}`, limit: 2, active_slots: 0 });
    expect((await call<Limited>("GET", path)).body.concurrency_limit).toBeNull();
    await call("PATCH", path, { concurrency_limit: 3 });
    expect(await limitOf(deployment)).toMatchObject({ id: limit.id, limit: 3 });
    await call("PATCH", path, { description: "says nothing of limits" });
    expect(await limitOf(deployment)).toMatchObject({ id: limit.id, limit: 3 });
    await call("PATCH", path, { concurrency_limit: null });
    expect((await call<Limited>("GET", path)).body.global_concurrency_limit).toBeNull();
    expect((await call("GET", `/v2/concurrency_limits/${limit.id}`)).status).toBe(404);
    await call("PATCH", path, { concurrency_limit: 1 });
    const again = await limitOf(deployment);
    await call("DELETE", path);
    expect((await call("GET", `/v2/concurrency_limits/${again.id}`)).status).toBe(404);
  });

  it("refuses what it cannot have", async ({ expect }) => {
    const deployment = await aDeployment();
    const path = `/deployments/${deployment.id}`;
    const unknown = "00000000-0000-7000-8000-000000000001";
    const both = { concurrency_limit: 1, global_concurrency_limit_id: unknown };
    expect((await call("PATCH", path, both)).status).toBe(422);
    expect((await call("PATCH", path, { global_concurrency_limit_id: unknown })).status).toBe(404);
    expect((await call("PATCH", path, { concurrency_limit: 0 })).status).toBe(422);
    expect((await call("PATCH", path, { concurrency_options: {} })).status).toBe(422);
    const tooShort = { collision_strategy: "ENQUEUE", grace_period_seconds: 59 };
    expect((await call("PATCH", path, { concurrency_options: tooShort })).status).toBe(422);
  });
});

describe("a run that a worker claims by proposing PENDING", () => {
  it("holds a slot from then until it has ended", async ({ expect }) => {
    const deployment = await aDeployment({ concurrency_limit: 1 });
    const { id: limit } = await limitOf(deployment);
    const [first, second] = [await aRun(deployment), await aRun(deployment)];
    const granted = await propose(first, "PENDING");
    expect(granted.status).toBe("ACCEPT");
    const lease = granted.state.state_details.deployment_concurrency_lease_id;
    expect(lease).toEqual(expect.any(String));
    const refused = await propose(second, "PENDING");
    expect(refused).toMatchObject({
      status: "REJECT",
      state: { type: "SCHEDULED", name: "AwaitingConcurrencySlot" },
      details: { reason: "Deployment concurrency limit reached." },
    });
    const waitMs = Date.parse(refused.state.state_details.scheduled_time) - Date.now();
    expect(waitMs).toBeGreaterThan(25_000);
    expect(waitMs).toBeLessThan(31_000);
    expect(await occupancy(limit)).toMatchObject({
      active_slots: 1,
      holders: [{ lease_id: lease, holder: { type: "flow_run", id: first } }],
      waiters: [{ holder: { type: "flow_run", id: second }, position: 1 }],
    });
    const running = await propose(first, "RUNNING");
    expect(running.state.state_details.deployment_concurrency_lease_id).toBe(lease);
    expect((await occupancy(limit)).active_slots).toBe(1);
    await propose(first, "COMPLETED");
    // The next is called: it is due now, and its slot is kept until it is claimed.
    await until("the next run is due", async () => {
      const { scheduled_time } = (await stateOf(second)).state_details;
      return Date.parse(scheduled_time) <= Date.now();
    });
    expect((await propose(second, "PENDING")).status).toBe("ACCEPT");
    expect(await occupancy(limit)).toMatchObject({ active_slots: 1, waiters: [] });
  });

  it("is cancelled where the deployment wants that", async ({ expect }) => {
    const deployment = await aDeployment({
      concurrency_limit: 1,
      concurrency_options: { collision_strategy: "CANCEL_NEW" },
    });
    await propose(await aRun(deployment), "PENDING");
    const second = await aRun(deployment);
    expect(await propose(second, "PENDING")).toMatchObject({
      status: "REJECT",
      state: { type: "CANCELLED", message: "Deployment concurrency limit reached." },
    });
    expect((await occupancy((await limitOf(deployment)).id)).waiters).toEqual([]);
  });

  it("is cancelled where the deployment wants that and no worker came in time, but not while there is a slot", async ({
    expect,
  }) => {
    const { name: pool } = await aPool();
    const options = { concurrency_limit: 1, concurrency_options: { collision_strategy: "CANCEL_NEW" } };
    // With a pool the pool marks late runs, without one their owner does.
    for (const more of [{ work_pool_name: pool }, {}]) {
      const deployment = await aDeployment({ ...options, ...more });
      const pass = async (run: FlowRunId) => {
        moveClock(16_000);
        await until("its pool or its owner looks at it", async () => {
          await runDurableObjectAlarm(env.WORK_POOLS.getByName(pool));
          await runDurableObjectAlarm(ownerStub(run));
          return (await stateOf(run)).name !== "Scheduled";
        });
        return stateOf(run);
      };
      // The slot is free: it waits.
      const late = await aRun(deployment);
      expect(await pass(late)).toMatchObject({ type: "SCHEDULED", name: "Late" });
      expect((await propose(late, "PENDING")).status).toBe("ACCEPT");
      expect(await pass(await aRun(deployment))).toMatchObject({
        type: "CANCELLED",
        message: "Deployment concurrency limit reached.",
      });
    }
  });

  it("is stopped by a limit of 0", async ({ expect }) => {
    const deployment = await aDeployment({ concurrency_limit: 1 });
    const { id: limit } = await limitOf(deployment);
    await call("PATCH", `/v2/concurrency_limits/${limit}`, { limit: 0 });
    expect(await propose(await aRun(deployment), "PENDING")).toMatchObject({
      status: "ABORT",
      details: { reason: "The deployment concurrency limit is 0. The flow will deadlock if submitted again." },
    });
  });

  it("is not limited by a limit that is not active, nor hindered when somebody insists", async ({ expect }) => {
    const deployment = await aDeployment({ concurrency_limit: 1 });
    const { id: limit } = await limitOf(deployment);
    await propose(await aRun(deployment), "PENDING");
    const forced = await aRun(deployment);
    const state = { type: "PENDING" };
    expect((await call<Verdict>("POST", `/flow_runs/${forced}/set_state`, { state, force: true })).body.status).toBe(
      "ACCEPT",
    );
    await call("PATCH", `/v2/concurrency_limits/${limit}`, { active: false });
    await scheduler.wait(300);
    expect((await propose(await aRun(deployment), "PENDING")).status).toBe("ACCEPT");
  });

  it("leaves the line when it is cancelled or deleted", async ({ expect }) => {
    const deployment = await aDeployment({ concurrency_limit: 1 });
    const { id: limit } = await limitOf(deployment);
    await propose(await aRun(deployment), "PENDING");
    const [cancelled, deleted] = [await aRun(deployment), await aRun(deployment)];
    for (const id of [cancelled, deleted]) await propose(id, "PENDING");
    expect((await occupancy(limit)).waiters).toHaveLength(2);
    await propose(cancelled, "CANCELLED");
    await call("DELETE", `/flow_runs/${deleted}`);
    await until("nobody stands in line", async () => (await occupancy(limit)).waiters.length === 0);
    expect((await occupancy(limit)).active_slots).toBe(1);
  });

  it("stands in line by the priority of its queue, then by when it was due", async ({ expect }) => {
    const pool = await aPool();
    await call("POST", `/work_pools/${pool.name}/queues`, { name: "lazy", priority: 5 });
    const deployment = await aDeployment({ work_pool_name: pool.name, concurrency_limit: 1 });
    const make = async (queue: string, dueMsAgo: number): Promise<FlowRunId> => {
      const scheduled_time = new Date(Date.now() - dueMsAgo).toISOString();
      const state = { type: "SCHEDULED", state_details: { scheduled_time } };
      const path = `/deployments/${deployment.id}/create_flow_run`;
      return (await call<{ id: FlowRunId }>("POST", path, { state, work_queue_name: queue })).body.id;
    };
    await propose(await make("default", 0), "PENDING");
    const [lazy, later, earlier] = [
      await make("lazy", 90_000),
      await make("default", 0),
      await make("default", 60_000),
    ];
    for (const id of [lazy, later, earlier]) await propose(id, "PENDING");
    const { waiters } = await occupancy((await limitOf(deployment)).id);
    expect((waiters as { holder: { id: string } }[]).map(({ holder }) => holder.id)).toEqual([earlier, later, lazy]);
  });

  it("is late, and not cancelled, when no worker came in time and it may wait", async ({ expect }) => {
    const deployment = await aDeployment({ concurrency_limit: 1 });
    await propose(await aRun(deployment), "PENDING");
    const run = await aRun(deployment);
    moveClock(16_000);
    await runDurableObjectAlarm(ownerStub(run));
    expect(await stateOf(run)).toMatchObject({ type: "SCHEDULED", name: "Late" });
  });

  it("gives its slot back when it is deleted", async ({ expect }) => {
    const deployment = await aDeployment({ concurrency_limit: 1 });
    const run = await aRun(deployment);
    await propose(run, "PENDING");
    await call("DELETE", `/flow_runs/${run}`);
    expect((await occupancy((await limitOf(deployment)).id)).active_slots).toBe(0);
  });
});

describe("a run that takes longer to start than the grace period", () => {
  const options = { collision_strategy: "ENQUEUE", grace_period_seconds: 60 };
  async function lapsed() {
    const deployment = await aDeployment({ concurrency_limit: 1, concurrency_options: options });
    const run = await aRun(deployment);
    await propose(run, "PENDING");
    const { id: limit } = await limitOf(deployment);
    moveClock(61_000);
    await runDurableObjectAlarm(env.CONCURRENCY_LIMITS.getByName(limitObjectName(limit)));
    return { deployment, run, limit };
  }

  it("gets another slot when there is one", async ({ expect }) => {
    const { run, limit } = await lapsed();
    expect((await occupancy(limit)).active_slots).toBe(0);
    const { status, state } = await propose(run, "RUNNING");
    expect(status).toBe("ACCEPT");
    expect(await occupancy(limit)).toMatchObject({
      holders: [{ lease_id: state.state_details.deployment_concurrency_lease_id }],
    });
  });

  it("is cancelled when there is none", async ({ expect }) => {
    const { run, deployment } = await lapsed();
    expect((await propose(await aRun(deployment), "PENDING")).status).toBe("ACCEPT");
    expect(await propose(run, "RUNNING")).toMatchObject({
      status: "REJECT",
      state: {
        type: "CANCELLED",
        message: "Deployment concurrency slot lost during provisioning - no slots available to continue execution",
      },
    });
  });
});

describe("runs that are pushed to workers", () => {
  async function claimed(grace_period_seconds?: number) {
    const pool = await aPool();
    const options = grace_period_seconds && {
      concurrency_options: { collision_strategy: "ENQUEUE", grace_period_seconds },
    };
    const deployment = await aDeployment({ work_pool_name: pool.name, concurrency_limit: 1, ...options });
    const { id: limit } = await limitOf(deployment);
    await Pool.named(pool.name).configure(PATIENT);
    const worker = await aWorker(pool.name);
    const run = await aRun(deployment);
    await worker.waitFor("run", 1);
    const slots = async () => {
      await runDurableObjectAlarm(env.CONCURRENCY_LIMITS.getByName(limitObjectName(limit)));
      return (await occupancy(limit)).active_slots;
    };
    return { run, slots, worker };
  }

  it.for([
    [undefined, 1],
    [60, 0],
  ] as const)(
    "keep their slot while a worker starts them; with a grace period of %s: %i",
    async ([grace, left], { expect }) => {
      const { run, slots, worker } = await claimed(grace);
      for (let spans = 0; spans < 10; spans++) {
        moveClock(31_000);
        await runDurableObjectAlarm(ownerStub(run));
      }
      expect([(await stateOf(run)).type, await slots()]).toEqual(["PENDING", left]);
      worker.close();
    },
  );

  it("keep their slot for as long as they run", async ({ expect }) => {
    const { run, slots, worker } = await claimed();
    await propose(run, "RUNNING");
    moveClock(3_600_000);
    expect(await slots()).toBe(1);
    await propose(run, "COMPLETED");
    await until("the slot is free", async () => (await slots()) === 0);
    worker.close();
  });

  it("never exceed the limit, and the next is pushed the moment one has ended", async ({ expect }) => {
    const pool = await aPool();
    const deployment = await aDeployment({ work_pool_name: pool.name, concurrency_limit: 2 });
    const worker = await aWorker(pool.name);
    const runs: string[] = [];
    for (let index = 0; index < 5; index++) runs.push(await aRun(deployment));
    await worker.waitFor("run", 2);
    const { id: limit } = await limitOf(deployment);
    await until("three wait", async () => (await occupancy(limit)).waiters.length === 3);
    expect(worker.runs).toHaveLength(2);
    // It stands in line before its own state says so.
    await until("it says so", async () => (await stateOf(runs[4] ?? "")).name === "AwaitingConcurrencySlot");
    for (let ended = 0; ended < 3; ended++) {
      const id = worker.runs[ended] ?? "";
      await propose(id, "RUNNING");
      const from = performance.now();
      await propose(id, "COMPLETED");
      await worker.waitFor("run", 3 + ended);
      expect(performance.now() - from).toBeLessThan(1_000);
    }
    // In the order in which they were due.
    expect(worker.runs).toEqual(runs);
    worker.close();
  });

  it("share a limit of two deployments, and wait while it is 0", async ({ expect }) => {
    const shared = (await call<{ id: string }>("POST", "/v2/concurrency_limits/", { name: "shared-db", limit: 1 }))
      .body;
    const pool = await aPool();
    const more = { work_pool_name: pool.name, global_concurrency_limit_id: shared.id };
    const [one, other] = [await aDeployment(more), await aDeployment(more)];
    await call("PATCH", `/v2/concurrency_limits/${shared.id}`, { limit: 0 });
    const worker = await aWorker(pool.name);
    const runs = [await aRun(one), await aRun(other)];
    await until("both wait", async () => (await occupancy(shared.id)).waiters.length === 2);
    expect(worker.runs).toEqual([]);
    await call("PATCH", `/v2/concurrency_limits/${shared.id}`, { limit: 1 });
    await worker.waitFor("run", 1);
    expect(worker.runs).toEqual(runs.slice(0, 1));
    // What shares the limit no more waits for it no more.
    await call("PATCH", `/deployments/${other.id}`, { global_concurrency_limit_id: null });
    await worker.waitFor("run", 2);
    expect((await occupancy(shared.id)).active_slots).toBe(1);
    worker.close();
  });

  it("go on while their shared limit is deleted, and those in line look again", async ({ expect }) => {
    const shared = (await call<{ id: string }>("POST", "/v2/concurrency_limits/", { name: "shared-gone", limit: 1 }))
      .body;
    const pool = await aPool();
    const more = { work_pool_name: pool.name, global_concurrency_limit_id: shared.id };
    const [one, other] = [await aDeployment(more), await aDeployment(more)];
    const worker = await aWorker(pool.name);
    const holder = await aRun(one);
    await worker.waitFor("run", 1);
    await propose(holder, "RUNNING");
    const waiting = [await aRun(one), await aRun(other)];
    await until("two wait", async () => (await occupancy(shared.id)).waiters.length === 2);
    expect((await call("DELETE", `/v2/concurrency_limits/${shared.id}`)).status).toBe(204);
    await worker.waitFor("run", 3);
    expect([...worker.runs].sort()).toEqual([holder, ...waiting].sort());
    expect((await stateOf(holder)).type).toBe("RUNNING");
    for (const deployment of [one, other]) {
      const { body } = await call<Limited>("GET", `/deployments/${deployment.id}`);
      expect(body.global_concurrency_limit).toBeNull();
    }
    for (const id of waiting) await propose(id, "RUNNING");
    for (const id of [holder, ...waiting]) expect((await propose(id, "COMPLETED")).status).toBe("ACCEPT");
    worker.close();
  });

  it("do not keep a slot from others while no worker has room for them", async ({ expect }) => {
    const shared = (await call<{ id: string }>("POST", "/v2/concurrency_limits/", { name: "shared-gpu", limit: 1 }))
      .body;
    const [busy, idle] = [await aPool(), await aPool()];
    const busyWorker = await aWorker(busy.name, 1);
    const idleWorker = await aWorker(idle.name, 1);
    const limited = { global_concurrency_limit_id: shared.id };
    const holder = await aDeployment({ work_pool_name: idle.name, ...limited });
    const blocked = await aDeployment({ work_pool_name: busy.name, ...limited });
    const first = await aRun(holder);
    await idleWorker.waitFor("run", 1);
    const waits = await aRun(blocked);
    await until("it waits", async () => (await occupancy(shared.id)).waiters.length === 1);
    // Its only worker gets something else to do.
    await aRun(await aDeployment({ work_pool_name: busy.name }));
    await busyWorker.waitFor("run", 1);
    const behind = await aRun(holder);
    await propose(first, "CANCELLED");
    idleWorker.release();
    await idleWorker.waitFor("run", 2);
    expect(idleWorker.runs).toEqual([first, behind]);
    expect((await stateOf(waits)).name).toBe("AwaitingConcurrencySlot");
    busyWorker.close();
    idleWorker.close();
  });
});

describe("a run that waits for a slot of its deployment", () => {
  it("keeps its place when its owner starts again, and is called", async ({ expect }) => {
    const pool = await aPool();
    const deployment = await aDeployment({ work_pool_name: pool.name, concurrency_limit: 1 });
    const [holder, waiting] = [await aRun(deployment), await aRun(deployment)];
    await propose(holder, "PENDING");
    await propose(waiting, "PENDING");
    const { name } = await limitOf(deployment);
    expect((await occupancy(name)).waiters).toHaveLength(1);
    await evictDurableObject(ownerStub(waiting));
    // Starts it, which performs again what may have been left undone.
    await runDurableObjectAlarm(ownerStub(waiting));
    await runDurableObjectAlarm(ownerStub(waiting));
    expect((await occupancy(name)).waiters).toHaveLength(1);
    await propose(holder, "RUNNING");
    await propose(holder, "COMPLETED");
    await until("it is called", async () => (await stateOf(waiting)).message?.startsWith("A slot is free"));
  });
});
