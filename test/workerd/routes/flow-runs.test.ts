import { describe, it } from "vitest";
import { aDeployment, aFlow, aPool, call, freshName } from "../support/api.ts";
import { until } from "../support/runs.ts";

interface Run {
  readonly id: string;
  readonly state_type: string;
  readonly name: string;
  readonly parameters: Record<string, unknown>;
}

describe("flow runs", () => {
  it("are made, read, moved and listed", async ({ expect }) => {
    const flow = await aFlow();
    const created = await call<Run>("POST", "/flow_runs/", {
      flow_id: flow.id,
      state: { type: "PENDING" },
      parameters: { n: 1 },
    });
    expect(created).toMatchObject({ status: 201, body: { state_type: "PENDING", parameters: { n: 1 } } });
    const id = created.body.id;
    const running = await call("POST", `/flow_runs/${id}/set_state`, { state: { type: "RUNNING" } });
    expect(running).toMatchObject({ status: 201, body: { status: "ACCEPT", state: { type: "RUNNING" } } });
    const refused = await call("POST", `/flow_runs/${id}/set_state`, { state: { type: "PENDING" } });
    expect(refused).toMatchObject({ status: 200, body: { status: "ABORT" } });
    expect((await call("GET", `/flow_runs/${id}`)).body).toMatchObject({ state_type: "RUNNING", run_count: 1 });
    const listed = await until("the list shows RUNNING", async () => {
      const filter = { flow_runs: { id: { any_: [id] }, state: { type: { any_: ["RUNNING"] } } } };
      const { body } = await call<Run[]>("POST", "/flow_runs/filter", filter);
      return body.length === 1 && body[0];
    });
    expect(listed.id).toBe(id);
    const states = await call<{ type: string }[]>("GET", `/flow_run_states/?flow_run_id=${id}`);
    expect(states.body.map(({ type }) => type)).toEqual(["PENDING", "RUNNING"]);
  });

  it("are one run when fifty callers use one idempotency key", async ({ expect }) => {
    const flow = await aFlow();
    const request = { flow_id: flow.id, idempotency_key: "only-once", state: { type: "PENDING" } };
    const answers = await Promise.all(Array.from({ length: 50 }, () => call<Run>("POST", "/flow_runs/", request)));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect((await call<number>("POST", "/flow_runs/count", { flows: { id: { any_: [flow.id] } } })).body).toBe(1);
  });

  it("need a flow that exists", async ({ expect }) => {
    const answer = await call("POST", "/flow_runs/", { flow_id: "0193a000-0000-7000-8000-00000000dead" });
    expect(answer.status).toBe(404);
  });

  it("are changed and deleted with everything that is theirs", async ({ expect }) => {
    const flow = await aFlow();
    const { body } = await call<Run>("POST", "/flow_runs/", {
      flow_id: flow.id,
      state: { type: "PENDING" },
      idempotency_key: "k",
    });
    expect((await call("PATCH", `/flow_runs/${body.id}`, { name: "renamed", tags: ["t"] })).status).toBe(204);
    expect((await call("GET", `/flow_runs/${body.id}`)).body).toMatchObject({ name: "renamed", tags: ["t"] });
    expect((await call("DELETE", `/flow_runs/${body.id}`)).status).toBe(204);
    expect((await call("GET", `/flow_runs/${body.id}`)).status).toBe(404);
    expect((await call<Run[]>("POST", "/flow_runs/filter", { flow_runs: { id: { any_: [body.id] } } })).body).toEqual(
      [],
    );
    // The key is free again: a deleted run does not stand in the way of a new one.
    const again = await call<Run>("POST", "/flow_runs/", { flow_id: flow.id, idempotency_key: "k" });
    expect(again.status).toBe(201);
  });

  it("refuse parameters one byte over the limit", async ({ expect }) => {
    const flow = await aFlow();
    const frame = JSON.stringify({ p: "" }).length;
    const fits = await call("POST", "/flow_runs/", {
      flow_id: flow.id,
      parameters: { p: "x".repeat(524_288 - frame) },
    });
    expect(fits.status).toBe(201);
    const over = await call("POST", "/flow_runs/", {
      flow_id: flow.id,
      parameters: { p: "x".repeat(524_289 - frame) },
    });
    expect(over.status).toBe(422);
  });

  it("keep logs, which are read by run, level and text", async ({ expect }) => {
    const flow = await aFlow();
    const { body } = await call<Run>("POST", "/flow_runs/", { flow_id: flow.id });
    const line = (level: number, message: string, second: number) => ({
      name: "flow",
      level,
      message,
      timestamp: `2026-01-01T00:00:0${second}Z`,
      flow_run_id: body.id,
    });
    expect((await call("POST", "/logs/", [line(40, "Broken pipe", 2), line(20, "started", 1)])).status).toBe(201);
    const read = async (logs: object) =>
      (
        await call<{ message: string }[]>("POST", "/logs/filter", {
          logs: { flow_run_id: { any_: [body.id] }, ...logs },
        })
      ).body.map(({ message }) => message);
    expect(await read({})).toEqual(["started", "Broken pipe"]);
    expect(await read({ level: { ge_: 30 } })).toEqual(["Broken pipe"]);
    expect(await read({ text: { query: "PIPE" } })).toEqual(["Broken pipe"]);
    expect(await read({ timestamp: { before_: "2026-01-01T00:00:01Z" } })).toEqual(["started"]);
  });
});

describe("filters of flow runs", () => {
  it.for([
    [{ flow_runs: { name: { any_: ["alpha"] } } }, ["alpha"]],
    [{ flow_runs: { name: { like_: "ALP" } } }, ["alpha"]],
    [{ flow_runs: { tags: { all_: ["x", "y"] } } }, ["beta"]],
    [{ flow_runs: { tags: { any_: ["x"] } } }, ["alpha", "beta"]],
    [{ flow_runs: { tags: { is_null_: true } } }, ["gamma"]],
    [{ flow_runs: { state: { type: { any_: ["COMPLETED"] } } } }, ["gamma"]],
    [{ flow_runs: { state: { type: { not_any_: ["COMPLETED"] } } } }, ["alpha", "beta"]],
    [{ flow_runs: { state: { name: { any_: ["Custom"] } } } }, ["beta"]],
    [
      { flow_runs: { operator: "or_", name: { any_: ["alpha"] }, state: { type: { any_: ["COMPLETED"] } } } },
      ["alpha", "gamma"],
    ],
    [{ flow_runs: { deployment_id: { is_null_: false } } }, []],
    [{ flow_runs: { end_time: { is_null_: true } } }, ["alpha", "beta"]],
    [{ flow_runs: { start_time: { after_: "2100-01-01T00:00:00Z" } } }, []],
    [{ flow_runs: { idempotency_key: { any_: ["key-b"] } } }, ["beta"]],
    [{ deployments: { name: { any_: ["none"] } } }, []],
    [{ task_runs: { name: { any_: ["none"] } } }, []],
  ] as const)("%j finds %j", async ([filter, names], { expect }) => {
    const flow = await aFlow();
    const make = (name: string, more: object) => call("POST", "/flow_runs/", { flow_id: flow.id, name, ...more });
    await make("alpha", { tags: ["x"], state: { type: "PENDING" } });
    await make("beta", { tags: ["x", "y"], state: { type: "SCHEDULED", name: "Custom" }, idempotency_key: "key-b" });
    await make("gamma", { state: { type: "COMPLETED" } });
    const request = { ...filter, flows: { id: { any_: [flow.id] } }, sort: "NAME_ASC" };
    const { body } = await call<Run[]>("POST", "/flow_runs/filter", request);
    expect(body.map(({ name }) => name)).toEqual(names);
    expect((await call<number>("POST", "/flow_runs/count", request)).body).toBe(names.length);
  });
});

describe("deployments", () => {
  it("are made once by flow and name, and their runs wait for a worker", async ({ expect }) => {
    const pool = await aPool();
    const deployment = await aDeployment({
      work_pool_name: pool.name,
      parameters: { a: 1, b: 1 },
      entrypoint: "f.ts:main",
    });
    const again = await call("POST", "/deployments/", {
      name: deployment.name,
      flow_id: deployment.flow_id,
      work_pool_name: pool.name,
      parameters: { a: 1, b: 1 },
    });
    expect(again).toMatchObject({
      status: 200,
      body: { id: deployment.id, work_pool_name: pool.name, work_queue_name: "default" },
    });
    const run = await call<Run>("POST", `/deployments/${deployment.id}/create_flow_run`, { parameters: { b: 2 } });
    expect(run).toMatchObject({
      status: 201,
      body: { state_type: "SCHEDULED", parameters: { a: 1, b: 2 }, work_pool_name: pool.name },
    });
  });

  it("hold parameters against their schema", async ({ expect }) => {
    const deployment = await aDeployment({
      parameter_openapi_schema: { type: "object", properties: { n: { type: "integer" } }, required: ["n"] },
    });
    const run = (body: object) =>
      call<{ detail: string }>("POST", `/deployments/${deployment.id}/create_flow_run`, body);
    const wrong = await run({ parameters: { n: "many" } });
    expect(wrong.status).toBe(409);
    expect(wrong.body.detail).toContain("'n'");
    expect((await run({ parameters: {} })).status).toBe(409);
    expect((await run({ parameters: { n: 3 } })).status).toBe(201);
    expect((await run({ parameters: {}, enforce_parameter_schema: false })).status).toBe(201);
  });

  it("name a pool that exists", async ({ expect }) => {
    const flow = await aFlow();
    const request = { name: freshName("d"), flow_id: flow.id, work_pool_name: "no-such-pool" };
    const unknown = await call<{ fix: string }>("POST", "/deployments/", request);
    expect(unknown.status).toBe(404);
    expect(unknown.body.fix).toContain("work-pool create");
  });

  it("are read by name, filtered, changed and deleted", async ({ expect }) => {
    const deployment = await aDeployment({
      tags: ["nightly"],
      schedules: [{ schedule: { cron: "0 6 * * *" }, slug: "morning" }],
    });
    const flow = await call<{ name: string }>("GET", `/flows/${deployment.flow_id}`);
    const byName = await call("GET", `/deployments/name/${flow.body.name}/${deployment.name}`);
    expect(byName.body).toMatchObject({ id: deployment.id, schedules: [{ slug: "morning", active: true }] });
    expect((await call("PATCH", `/deployments/${deployment.id}`, { paused: true, description: "x" })).status).toBe(204);
    const paused = await call<Run[]>("POST", "/deployments/filter", {
      deployments: { id: { any_: [deployment.id] }, paused: { eq_: true } },
    });
    expect(paused.body).toMatchObject([{ description: "x", tags: ["nightly"] }]);
    expect((await call("DELETE", `/deployments/${deployment.id}`)).status).toBe(204);
    expect((await call("GET", `/deployments/${deployment.id}`)).status).toBe(404);
  });
});

describe("work pools", () => {
  it("come with a default queue, once per name, and not under a reserved name", async ({ expect }) => {
    const name = freshName("pool");
    const pool = await call<{ default_queue_id: string }>("POST", "/work_pools/", { name, type: "process" });
    expect(pool.status).toBe(201);
    const queues = await call("POST", `/work_pools/${name}/queues/filter`, {});
    expect(queues.body).toMatchObject([{ name: "default", id: pool.body.default_queue_id, priority: 1 }]);
    expect((await call("POST", "/work_pools/", { name })).status).toBe(409);
    expect((await call("POST", "/work_pools/", { name: "Prefect-x" })).status).toBe(403);
    expect((await call("DELETE", `/work_pools/${name}/queues/default`)).status).toBe(409);
  });

  it("are changed, listed and deleted with their queues", async ({ expect }) => {
    const pool = await aPool();
    expect((await call("PATCH", `/work_pools/${pool.name}`, { is_paused: true, concurrency_limit: 3 })).status).toBe(
      204,
    );
    expect((await call("GET", `/work_pools/${pool.name}`)).body).toMatchObject({
      status: "PAUSED",
      concurrency_limit: 3,
    });
    expect((await call("POST", `/work_pools/${pool.name}/queues`, { name: "urgent", priority: 1 })).status).toBe(201);
    expect((await call("POST", `/work_pools/${pool.name}/queues`, { name: "urgent" })).status).toBe(409);
    expect(
      (await call("POST", "/work_pools/filter", { work_pools: { name: { any_: [pool.name] } } })).body,
    ).toHaveLength(1);
    expect((await call("DELETE", `/work_pools/${pool.name}`)).status).toBe(204);
    expect((await call("GET", `/work_pools/${pool.name}`)).status).toBe(404);
  });
});

describe("artifacts", () => {
  it("are versions of one thing under their key", async ({ expect }) => {
    const key = freshName("report");
    const first = await call<Run>("POST", "/artifacts/", { key, type: "markdown", data: "# 1" });
    const second = await call<Run>("POST", "/artifacts/", { key, type: "markdown", data: "# 2" });
    expect((await call("GET", `/artifacts/${key}/latest`)).body).toMatchObject({ id: second.body.id, data: "# 2" });
    expect((await call("POST", "/artifacts/filter", { artifacts: { key: { any_: [key] } } })).body).toHaveLength(2);
    const latest = { artifacts: { key: { any_: [key] }, type: { any_: ["markdown"] } } };
    expect((await call("POST", "/artifacts/latest/filter", latest)).body).toMatchObject([
      { key, latest_id: second.body.id, data: "# 2" },
    ]);
    expect((await call<number>("POST", "/artifacts/latest/count", latest)).body).toBe(1);
    const older = { artifacts: { latest_id: { any_: [first.body.id] } } };
    expect((await call("POST", "/artifacts/latest/filter", older)).body).toEqual([]);
    expect((await call("PATCH", `/artifacts/${first.body.id}`, { data: { n: 1 } })).status).toBe(204);
    expect((await call("GET", `/artifacts/${first.body.id}`)).body).toMatchObject({ data: { n: 1 } });
    expect((await call("POST", "/artifacts/", { key: "Not A Key" })).status).toBe(422);
  });
});
