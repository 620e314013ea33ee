/** What workers without a channel are told to do. */
import { describe, it } from "vitest";
import { aDeployment, aPool, call, freshName } from "../support/api.ts";
import { until } from "../support/runs.ts";

interface Run {
  readonly id: string;
}
interface Waiting {
  readonly work_queue_id: string;
  readonly flow_run: Run;
}

async function schedule(deployment: Run, more: object = {}, inSeconds = 0): Promise<string> {
  const scheduled_time = new Date(Date.now() + inSeconds * 1_000).toISOString();
  const state = { type: "SCHEDULED", state_details: { scheduled_time } };
  return (await call<Run>("POST", `/deployments/${deployment.id}/create_flow_run`, { state, ...more })).body.id;
}

const poll = async (pool: string, body: object = {}) =>
  (await call<Waiting[]>("POST", `/work_pools/${pool}/get_scheduled_flow_runs`, body)).body.map(
    ({ flow_run }) => flow_run.id,
  );

describe("a worker that polls a pool", () => {
  it("gets what is due, urgent queues first, and what is claimed no more", async ({ expect }) => {
    const pool = await aPool();
    await call("POST", `/work_pools/${pool.name}/queues`, { name: "urgent", priority: 1 });
    await call("PATCH", `/work_pools/${pool.name}/queues/default`, { priority: 2 });
    const deployment = await aDeployment({ work_pool_name: pool.name });
    const plain = await schedule(deployment, {}, -10);
    const urgent = await schedule(deployment, { work_queue_name: "urgent" }, -5);
    const later = await schedule(deployment, {}, 3_600);
    const scheduled_before = new Date(Date.now() + 10_000).toISOString();
    expect(await poll(pool.name, { scheduled_before })).toEqual([urgent, plain]);
    expect(await poll(pool.name)).toEqual([urgent, plain, later]);
    expect(await poll(pool.name, { work_queue_names: ["urgent"] })).toEqual([urgent]);
    expect(await poll(pool.name, { limit: 1 })).toEqual([urgent]);
    await call("POST", `/flow_runs/${urgent}/set_state`, { state: { type: "PENDING" } });
    await until("the claimed run is listed no more", async () => !(await poll(pool.name)).includes(urgent));
    const unknown = await call("POST", `/work_pools/${pool.name}/get_scheduled_flow_runs`, {
      work_queue_names: ["no"],
    });
    expect(unknown.status).toBe(404);
  });

  it("gets nothing from what is paused, and no more than the free slots", async ({ expect }) => {
    const pool = await aPool();
    const deployment = await aDeployment({ work_pool_name: pool.name });
    const ids = [await schedule(deployment, {}, -3), await schedule(deployment, {}, -2), await schedule(deployment)];
    await call("PATCH", `/work_pools/${pool.name}/queues/default`, { concurrency_limit: 2 });
    expect(await poll(pool.name)).toEqual(ids.slice(0, 2));
    await call("PATCH", `/work_pools/${pool.name}`, { concurrency_limit: 1 });
    expect(await poll(pool.name)).toEqual(ids.slice(0, 1));
    await call("PATCH", `/work_pools/${pool.name}/queues/default`, { is_paused: true });
    expect(await poll(pool.name)).toEqual([]);
    await call("PATCH", `/work_pools/${pool.name}/queues/default`, { is_paused: false });
    await call("PATCH", `/work_pools/${pool.name}`, { is_paused: true });
    expect(await poll(pool.name)).toEqual([]);
  });

  it("makes its queue and the deployments ready", async ({ expect }) => {
    const pool = await aPool();
    const deployment = await aDeployment({ work_pool_name: pool.name });
    const status = async (path: string) => (await call("GET", path)).body["status"];
    expect(await status(`/deployments/${deployment.id}`)).toBe("NOT_READY");
    await poll(pool.name);
    await until("both are ready", async () => (await status(`/deployments/${deployment.id}`)) === "READY");
    expect((await call("GET", `/work_pools/${pool.name}/queues/default`)).body).toMatchObject({
      status: "READY",
      last_polled: expect.any(String),
    });
  });
});

describe("a process that serves deployments", () => {
  it("gets their scheduled runs, but not one that waits in its own process", async ({ expect }) => {
    const deployment = await aDeployment({ name: freshName("served") });
    const waiting = await schedule(deployment);
    const retried = await schedule(deployment);
    await call("PATCH", `/flow_runs/${retried}`, { empirical_policy: { retries: 1, retry_delay: 60 } });
    for (const type of ["PENDING", "RUNNING", "FAILED"]) {
      await call("POST", `/flow_runs/${retried}/set_state`, { state: { type } });
    }
    const body = { deployment_ids: [deployment.id] };
    await until("only the waiting run is listed", async () => {
      const listed = await call<Run[]>("POST", "/deployments/get_scheduled_flow_runs", body);
      return listed.body.length === 1 && listed.body[0]?.id === waiting;
    });
    const before = { ...body, scheduled_before: new Date(Date.now() - 60_000).toISOString() };
    expect((await call("POST", "/deployments/get_scheduled_flow_runs", before)).body).toEqual([]);
    await until("the deployment is ready", async () => {
      return (await call("GET", `/deployments/${deployment.id}`)).body["status"] === "READY";
    });
  });
});

describe("an agent that polls a queue", () => {
  it("gets the runs of the queue", async ({ expect }) => {
    const pool = await aPool();
    const deployment = await aDeployment({ work_pool_name: pool.name, work_queue_name: "only" });
    const id = await schedule(deployment, {}, -1);
    const queue = await call<Run>("GET", `/work_pools/${pool.name}/queues/only`);
    const runs = await call<Run[]>("POST", `/work_queues/${queue.body.id}/get_runs`, {});
    expect(runs.body.map((run) => run.id)).toEqual([id]);
  });
});

describe("the slots of a pool", () => {
  it("are those of its pending and running runs, queue by queue", async ({ expect }) => {
    const pool = await aPool();
    await call("PATCH", `/work_pools/${pool.name}`, { concurrency_limit: 5 });
    await call("PATCH", `/work_pools/${pool.name}/queues/default`, { concurrency_limit: 3 });
    const deployment = await aDeployment({ work_pool_name: pool.name });
    const [pending, waiting] = [await schedule(deployment), await schedule(deployment)];
    await call("POST", `/flow_runs/${pending}/set_state`, { state: { type: "PENDING" } });
    const status = await until("the claim is counted", async () => {
      const { body } = await call("POST", `/work_pools/${pool.name}/concurrency_status`, {});
      return body["active_slots"] === 1 && body;
    });
    expect(status).toMatchObject({
      concurrency_limit: 5,
      queues: [{ queue_name: "default", active_slots: 1, concurrency_limit: 3, flow_runs: [{ id: pending }] }],
      count: 1,
      page: 1,
    });
    const queue = await call<Run>("GET", `/work_pools/${pool.name}/queues/default`);
    expect(queue.body).toMatchObject({ active_slots: 1 });
    expect((await call("GET", `/work_pools/${pool.name}`)).body).toMatchObject({ active_slots: 1 });
    const ofQueue = await call("POST", `/work_queues/${queue.body.id}/concurrency_status`, { limit: 1 });
    expect(ofQueue.body).toMatchObject({ active_slots: 1, flow_runs: [{ id: pending }], pages: 1 });
    expect(JSON.stringify(ofQueue.body)).not.toContain(waiting);
  });
});
