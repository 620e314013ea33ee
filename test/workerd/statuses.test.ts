/** Events of pools, queues and deployments that became ready, stopped being so, or were paused. */
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import type { EpochMs } from "#protocol/time";
import { tellStatuses } from "../../worker/tell-statuses.ts";
import { aDeployment, aPool, call } from "./support/api.ts";
import { eventsOf, subscribe } from "./support/prefect-socket.ts";
import { until } from "./support/runs.ts";

interface Queue {
  readonly id: string;
  readonly name: string;
}

const tell = (): Promise<number> => tellStatuses(env, Date.now() as EpochMs);

/** The events of a resource, in the order in which they came, once there are at least so many. */
async function eventsAbout(
  id: string,
  count: number,
): Promise<{ names: string[]; events: ReturnType<typeof eventsOf> }> {
  const peer = await subscribe("/events/out", { resource: { id: [id] } });
  await until(`${count} events of ${id}`, async () => eventsOf(peer).length >= count);
  const events = eventsOf(peer);
  return { names: events.map(({ event }) => event), events };
}

async function beat(pool: string): Promise<void> {
  await call("POST", `/work_pools/${pool}/workers/heartbeat`, { name: "w" });
}

async function silence(poolId: string): Promise<void> {
  await env.DB.prepare("UPDATE workers SET status = 'OFFLINE' WHERE work_pool_id = ?").bind(poolId).run();
}

describe("a work pool", () => {
  it("is told to be not ready when it is made, ready with a worker, and paused at once", async ({ expect }) => {
    const pool = await aPool();
    const id = `prefect.work-pool.${pool.id}`;
    await eventsAbout(id, 1);
    await beat(pool.name);
    await tell();
    await call("PATCH", `/work_pools/${pool.name}`, { is_paused: true });
    await call("PATCH", `/work_pools/${pool.name}`, { is_paused: false });
    await silence(pool.id);
    await tell();
    const { names, events } = await eventsAbout(id, 5);
    expect(names).toEqual(
      ["not-ready", "ready", "paused", "ready", "not-ready"].map((status) => `prefect.work-pool.${status}`),
    );
    expect(events[1]).toMatchObject({
      resource: { "prefect.resource.name": pool.name, "prefect.work-pool.type": "process" },
      follows: events[0]?.id,
    });
  });

  it("is told of once, however often and by however many it is looked at", async ({ expect }) => {
    const pool = await aPool();
    await beat(pool.name);
    await Promise.all([tell(), tell(), tell()]);
    await tell();
    const { names } = await eventsAbout(`prefect.work-pool.${pool.id}`, 2);
    expect(names).toEqual(["prefect.work-pool.not-ready", "prefect.work-pool.ready"]);
  });

  it("is told of again, under the same id, where the hub may not have heard it", async ({ expect }) => {
    const pool = await aPool();
    await beat(pool.name);
    await tell();
    await env.DB.prepare("UPDATE told_statuses SET told = 0 WHERE id = ?").bind(pool.id).run();
    expect(await tell()).toBe(1);
    expect((await eventsAbout(`prefect.work-pool.${pool.id}`, 2)).names).toHaveLength(2);
    expect(await tell()).toBe(0);
  });
});

describe("a work queue", () => {
  it("is told to be paused, ready and not ready, with its pool", async ({ expect }) => {
    const pool = await aPool();
    const queue = (await call<Queue>("POST", `/work_pools/${pool.name}/queues`, { name: "q" })).body;
    await call("PATCH", `/work_pools/${pool.name}/queues/q`, { is_paused: true });
    await call("PATCH", `/work_pools/${pool.name}/queues/q`, { is_paused: false });
    await beat(pool.name);
    await tell();
    const { names, events } = await eventsAbout(`prefect.work-queue.${queue.id}`, 3);
    expect(names).toEqual(["paused", "not-ready", "ready"].map((status) => `prefect.work-queue.${status}`));
    expect(events[0]).toMatchObject({
      resource: { "prefect.resource.name": "q", "prefect.resource.role": "work-queue" },
      related: [{ "prefect.resource.id": `prefect.work-pool.${pool.id}`, "prefect.resource.role": "work-pool" }],
    });
  });
});

describe("a deployment", () => {
  it("is told to be ready when a worker serves its pool, and not ready when none does", async ({ expect }) => {
    const pool = await aPool();
    const deployment = await aDeployment({ work_pool_name: pool.name });
    await tell();
    await beat(pool.name);
    await tell();
    await silence(pool.id);
    await tell();
    const { names, events } = await eventsAbout(`prefect.deployment.${deployment.id}`, 2);
    expect(names).toEqual(["prefect.deployment.ready", "prefect.deployment.not-ready"]);
    expect(events[0]?.related.map((related) => related["prefect.resource.role"])).toEqual([
      "flow",
      "work-queue",
      "work-pool",
    ]);
  });
});
