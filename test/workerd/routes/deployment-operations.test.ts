import { describe, it } from "vitest";
import { aDeployment, aFlow, aPool, call, freshName } from "../support/api.ts";

interface Schedule {
  readonly id: string;
  readonly slug: string | null;
}

describe("the schedules of a deployment", () => {
  it("are added, read, changed and deleted one by one", async ({ expect }) => {
    const { id } = await aDeployment();
    const made = await call<Schedule[]>("POST", `/deployments/${id}/schedules`, [
      { schedule: { cron: "0 6 * * *", timezone: "Europe/London" }, slug: "morning" },
      { schedule: { interval: 60 }, active: false },
    ]);
    expect(made).toMatchObject({ status: 201, body: [{ slug: "morning", active: true }, { active: false }] });
    const [morning, other] = made.body as [Schedule, Schedule];
    const path = `/deployments/${id}/schedules/${morning.id}`;
    expect((await call("PATCH", path, { active: false, parameters: { n: 1 } })).status).toBe(204);
    expect((await call("DELETE", `/deployments/${id}/schedules/${other.id}`)).status).toBe(204);
    expect((await call("GET", `/deployments/${id}/schedules`)).body).toMatchObject([
      { id: morning.id, active: false, parameters: { n: 1 }, schedule: { cron: "0 6 * * *" } },
    ]);
  });

  it("have slugs of their own, and a refused request adds none", async ({ expect }) => {
    const { id } = await aDeployment({ schedules: [{ schedule: { interval: 60 }, slug: "taken" }] });
    const two = [
      { schedule: { interval: 5 }, slug: "new" },
      { schedule: { interval: 6 }, slug: "taken" },
    ];
    expect((await call("POST", `/deployments/${id}/schedules`, two)).status).toBe(409);
    expect((await call<Schedule[]>("GET", `/deployments/${id}/schedules`)).body).toHaveLength(1);
  });

  it("stop while the deployment is paused", async ({ expect }) => {
    const { id } = await aDeployment();
    expect((await call("POST", `/deployments/${id}/pause_deployment`)).status).toBe(200);
    expect((await call("GET", `/deployments/${id}`)).body).toMatchObject({ paused: true });
    await call("POST", `/deployments/${id}/resume_deployment`);
    expect((await call("GET", `/deployments/${id}`)).body).toMatchObject({ paused: false });
  });
});

describe("many runs of one deployment", () => {
  it("are made in one request that tells what became of each", async ({ expect }) => {
    const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
    const { id } = await aDeployment({ parameter_openapi_schema: schema });
    const { body } = await call<{ results: { status: string; error: string | null }[] }>(
      "POST",
      `/deployments/${id}/create_flow_run/bulk`,
      [{ parameters: { n: 1 } }, { parameters: { n: "x" } }, { parameters: { n: 2 } }],
    );
    expect(body.results.map(({ status }) => status)).toEqual(["CREATED", "FAILED", "CREATED"]);
    expect(body.results[1]?.error).toContain("'n'");
    expect((await call("POST", "/flow_runs/count", { deployments: { id: { any_: [id] } } })).body).toBe(2);
  });

  it("are at most a hundred", async ({ expect }) => {
    const { id } = await aDeployment();
    const answer = await call("POST", `/deployments/${id}/create_flow_run/bulk`, Array(101).fill({}));
    expect(answer.status).toBe(400);
  });
});

describe("a queue that is named for the first time", () => {
  it("is made by a deployment and by a run of it", async ({ expect }) => {
    const pool = await aPool();
    const deployment = await aDeployment({ work_pool_name: pool.name, work_queue_name: "fast" });
    expect(deployment).toMatchObject({ work_pool_name: pool.name, work_queue_name: "fast" });
    const run = await call("POST", `/deployments/${deployment.id}/create_flow_run`, { work_queue_name: "faster" });
    expect(run.body).toMatchObject({ work_pool_name: pool.name, work_queue_name: "faster" });
    const queues = await call<{ name: string }[]>("POST", `/work_pools/${pool.name}/queues/filter`, {
      work_queues: { name: { startswith_: ["FAST"] } },
    });
    expect(queues.body.map(({ name }) => name).toSorted()).toEqual(["fast", "faster"]);
    const checked = await call<{ name: string }[]>("GET", `/deployments/${deployment.id}/work_queue_check`);
    expect(checked.body.map(({ name }) => name)).toEqual(["fast"]);
  });
});

describe("a work queue by its id", () => {
  it("is read, changed, listed and deleted, whatever its pool", async ({ expect }) => {
    const name = freshName("queue");
    const made = await call<{ id: string }>("POST", "/work_queues/", { name });
    expect(made).toMatchObject({ status: 201, body: { work_pool_name: "default-agent-pool" } });
    const { id } = made.body;
    expect((await call("POST", "/work_queues/", { name })).status).toBe(409);
    expect((await call("GET", `/work_queues/name/${name}`)).body).toMatchObject({ id });
    expect((await call("PATCH", `/work_queues/${id}`, { priority: 3, is_paused: true })).status).toBe(204);
    expect((await call("GET", `/work_queues/${id}`)).body).toMatchObject({ priority: 3, status: "PAUSED" });
    expect((await call("GET", `/work_queues/${id}/status`)).body).toMatchObject({ healthy: false, late_runs_count: 0 });
    const listed = await call("POST", "/work_queues/filter", { work_queues: { id: { any_: [id] } } });
    expect(listed.body).toMatchObject([{ id, name }]);
    expect((await call("DELETE", `/work_queues/${id}`)).status).toBe(204);
    expect((await call("GET", `/work_queues/${id}`)).status).toBe(404);
  });
});

describe("flows and deployments", () => {
  it("come in numbered pages and are deleted many at a time", async ({ expect }) => {
    const prefix = freshName("paged");
    for (const n of [1, 2, 3]) {
      const flow = await aFlow(`${prefix}-${n}`);
      await call("POST", "/deployments/", { flow_id: flow.id, name: `${prefix}-d${n}` });
    }
    const flows = { flows: { name: { like_: prefix } } };
    const deployments = { deployments: { name: { like_: prefix } } };
    for (const [resource, filter] of [
      ["deployments", deployments],
      ["flows", flows],
    ] as const) {
      expect((await call("POST", `/${resource}/paginate`, { ...filter, limit: 2, page: 2 })).body).toMatchObject({
        count: 3,
        pages: 2,
        page: 2,
        results: [{ name: expect.stringMatching(/3$/) }],
      });
      const gone = await call<{ deleted: string[] }>("POST", `/${resource}/bulk_delete`, { ...filter, limit: 2 });
      expect(gone.body.deleted).toHaveLength(2);
      await call("POST", `/${resource}/bulk_delete`, filter);
      expect((await call("POST", `/${resource}/count`, filter)).body).toBe(0);
    }
  });
});

describe("the worker of a pool", () => {
  it("is found by its status, and forgotten", async ({ expect }) => {
    const pool = await aPool();
    await call("POST", `/work_pools/${pool.name}/workers/heartbeat`, { name: "w1" });
    const list = (status: string) =>
      call("POST", `/work_pools/${pool.name}/workers/filter`, { workers: { status: { any_: [status] } } });
    expect((await list("ONLINE")).body).toMatchObject([{ name: "w1" }]);
    expect((await list("OFFLINE")).body).toEqual([]);
    expect((await call("DELETE", `/work_pools/${pool.name}/workers/w1`)).status).toBe(204);
    expect((await list("ONLINE")).body).toEqual([]);
  });
});
