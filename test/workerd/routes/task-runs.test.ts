import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import { type RunHistoryInterval, RunHistoryQuery } from "#protocol/run-history";
import type { TaskRun } from "#protocol/task-runs";
import { taskPartitionOf } from "../../../durable-objects/task-run-owner.ts";
import { FLOW_RUN_TABLE, runHistory } from "../../../worker/db/queries/run-history.ts";
import { aFlow, call } from "../support/api.ts";
import { ownerStub, until } from "../support/runs.ts";

async function aRun(state = "RUNNING"): Promise<string> {
  const flow = await aFlow();
  return (await call<{ id: string }>("POST", "/flow_runs/", { flow_id: flow.id, state: { type: state } })).body.id;
}

async function aTask(more: Record<string, unknown>): Promise<TaskRun> {
  return (await call<TaskRun>("POST", "/task_runs/", { task_key: "extract", dynamic_key: "0", ...more })).body;
}

describe("pages of task runs", () => {
  it.for([
    { limit: 2, page: 1, rows: 2, pages: 3 },
    { limit: 2, page: 3, rows: 1, pages: 3 },
    { limit: 2, page: 4, rows: 0, pages: 3 },
    { limit: 5, page: 1, rows: 5, pages: 1 },
    { limit: 0, page: 1, rows: 0, pages: 0 },
  ])("of $limit: page $page has $rows of 5 rows in $pages pages", async ({ limit, page, rows, pages }, { expect }) => {
    const run = await aRun();
    for (let key = 0; key < 5; key++) await aTask({ flow_run_id: run, dynamic_key: String(key) });
    const { status, body } = await call<{ results: unknown[] }>("POST", "/task_runs/paginate", {
      limit,
      page,
      task_runs: { flow_run_id: { any_: [run] } },
    });
    expect(status).toBe(200);
    expect(body.results).toHaveLength(rows);
    expect(body).toMatchObject({ count: 5, limit, pages, page });
  });

  it("start with 200 rows of the first page when nothing is asked", async ({ expect }) => {
    expect((await call("POST", "/task_runs/paginate")).body).toMatchObject({ limit: 200, page: 1 });
    expect((await call("POST", "/task_runs/paginate", { page: 0 })).status).toBe(422);
  });
});

interface Verdict {
  readonly status: string;
  readonly state: { readonly id: string; readonly type: string; readonly name: string; readonly data: unknown } | null;
  readonly details: { readonly type: string; readonly reason?: string };
}

const propose = (id: string, type: string, more: Record<string, unknown> = {}, force = false) =>
  call<Verdict>("POST", `/task_runs/${id}/set_state`, { state: { type, ...more }, force });
const read = async (id: string) => (await call<TaskRun>("GET", `/task_runs/${id}`)).body;

// What holds for a task run holds wherever it lives.
describe.for([
  { where: "of a flow", run: () => aRun() },
  { where: "outside flows", run: async () => null },
])("a task run $where", ({ run }) => {
  const make = async (more: Record<string, unknown> = {}) =>
    aTask({ flow_run_id: await run(), dynamic_key: crypto.randomUUID(), ...more });

  it("is made pending, with a name, and read at once", async ({ expect }) => {
    const task = await make();
    expect(task).toMatchObject({ state_type: "PENDING", name: expect.stringMatching(/./), run_count: 0 });
    expect((await read(task.id)).state_id).toBe(task.state_id);
  });

  it("is made once under its natural key", async ({ expect }) => {
    const request = { flow_run_id: await run(), task_key: "extract", dynamic_key: crypto.randomUUID() };
    const first = await call<TaskRun>("POST", "/task_runs/", request);
    const second = await call<TaskRun>("POST", "/task_runs/", request);
    expect([first.status, second.status, second.body.id]).toEqual([201, 200, first.body.id]);
  });

  it("has the id that its client made; another one with that id is refused", async ({ expect }) => {
    const id = crypto.randomUUID();
    const request = { flow_run_id: await run(), task_key: "extract", dynamic_key: crypto.randomUUID(), id };
    expect(await call<TaskRun>("POST", "/task_runs/", request)).toMatchObject({ status: 201, body: { id } });
    expect((await call("POST", "/task_runs/", request)).status).toBe(200);
    const other = await call("POST", "/task_runs/", { ...request, dynamic_key: "other" });
    expect(other).toMatchObject({ status: 409, body: { code: "conflict" } });
  });

  it("is listed when its creation is answered", async ({ expect }) => {
    const task = await make();
    const { body } = await call<TaskRun[]>("POST", "/task_runs/filter", { task_runs: { id: { any_: [task.id] } } });
    expect(body.map(({ id }) => id)).toEqual([task.id]);
  });

  it("goes through its states, which are told with id, time and details", async ({ expect }) => {
    const task = await make();
    const running = await propose(task.id, "RUNNING");
    expect(running).toMatchObject({ status: 201, body: { status: "ACCEPT", state: { type: "RUNNING" } } });
    expect(running.body.state).toMatchObject({
      timestamp: expect.stringMatching(/Z$/),
      state_details: { task_run_id: task.id, flow_run_id: task.flow_run_id },
    });
    await propose(task.id, "COMPLETED");
    const states = await call<{ id: string; type: string }[]>("GET", `/task_run_states/?task_run_id=${task.id}`);
    expect(states.body.map(({ type }) => type)).toEqual(["PENDING", "RUNNING", "COMPLETED"]);
    expect(await read(task.id)).toMatchObject({ state_type: "COMPLETED", run_count: 1 });
    for (const { id, type } of states.body) {
      expect(await call("GET", `/task_run_states/${id}`)).toMatchObject({ status: 200, body: { id, type } });
    }
  });

  it("that failed waits for its retry, and the answer carries the state", async ({ expect }) => {
    const task = await make({ empirical_policy: { retries: 1, retry_delay: 30 } });
    await propose(task.id, "RUNNING");
    const { status, body } = await propose(task.id, "FAILED", { message: "boom" });
    expect([status, body.status, body.state?.name]).toEqual([201, "REJECT", "AwaitingRetry"]);
    const early = await propose(task.id, "RUNNING");
    expect(early).toMatchObject({ status: 200, body: { status: "WAIT", details: { delay_seconds: 30 } } });
  });

  it("that failed has failed where somebody insists", async ({ expect }) => {
    const task = await make({ empirical_policy: { retries: 1 } });
    await propose(task.id, "RUNNING");
    expect((await propose(task.id, "FAILED", {}, true)).body).toMatchObject({
      status: "ACCEPT",
      state: { type: "FAILED" },
    });
  });

  it("that is deferred is claimed once", async ({ expect }) => {
    const task = await make({ state: { type: "RUNNING", state_details: { deferred: true } } });
    const second = await propose(task.id, "PENDING", { state_details: { deferred: true } });
    expect([second.status, second.body.status]).toEqual([200, "ABORT"]);
  });

  it("takes over a result that is remembered under its cache key, until that is deleted", async ({ expect }) => {
    const cache_key = crypto.randomUUID();
    const first = await make();
    await propose(first.id, "RUNNING", { state_details: { cache_key } });
    await propose(first.id, "COMPLETED", { data: { storage_key: "there" }, state_details: { cache_key } });
    const cached = await until("the result is remembered", async () => {
      const { body } = await propose((await make()).id, "RUNNING", { state_details: { cache_key } });
      return body.status === "REJECT" && body;
    });
    expect(cached.state).toMatchObject({ type: "COMPLETED", name: "Cached", data: { storage_key: "there" } });
    const fresh = await propose((await make()).id, "RUNNING", { state_details: { cache_key, refresh_cache: true } });
    expect(fresh.body.status).toBe("ACCEPT");
    await call("DELETE", `/task_runs/${first.id}`);
    const after = await propose((await make()).id, "RUNNING", { state_details: { cache_key } });
    expect(after.body.status).toBe("ACCEPT");
  });

  it("does not take over a result that has expired", async ({ expect }) => {
    const cache_key = crypto.randomUUID();
    const first = await make();
    const details = { cache_key, cache_expiration: "2020-01-01T00:00:00Z" };
    await propose(first.id, "COMPLETED", { state_details: details });
    await until("the result is remembered", async () =>
      env.DB.prepare("SELECT 1 FROM task_run_state_cache WHERE cache_key = ?").bind(cache_key).first(),
    );
    const { body } = await propose((await make()).id, "RUNNING", { state_details: { cache_key } });
    expect(body.status).toBe("ACCEPT");
  });

  it("can be renamed and deleted, and its key used again", async ({ expect }) => {
    const request = { flow_run_id: await run(), dynamic_key: crypto.randomUUID() };
    const task = await aTask(request);
    expect((await call("PATCH", `/task_runs/${task.id}`, { name: "renamed" })).status).toBe(204);
    expect((await read(task.id)).name).toBe("renamed");
    expect((await call("DELETE", `/task_runs/${task.id}`)).status).toBe(204);
    expect((await call("GET", `/task_runs/${task.id}`)).status).toBe(404);
    expect((await call("DELETE", `/task_runs/${task.id}`)).status).toBe(404);
    const { body } = await call("POST", "/task_runs/count", { task_runs: { id: { any_: [task.id] } } });
    expect(body).toBe(0);
    expect((await aTask(request)).id).not.toBe(task.id);
  });

  it("loses nothing when its owner loses its memory", async ({ expect }) => {
    const task = await make();
    await propose(task.id, "RUNNING");
    const owner = task.flow_run_id ? ownerStub(task.flow_run_id) : env.TASK_RUNS.getByName(taskPartitionOf(task.id));
    await evictDurableObject(owner);
    expect(await read(task.id)).toMatchObject({ state_type: "RUNNING", run_count: 1 });
    await until("the copy", async () => {
      const row = await env.DB.prepare("SELECT state_type FROM task_runs WHERE id = ?").bind(task.id).first();
      return row?.["state_type"] === "RUNNING";
    });
  });
});

describe("a task run of a flow", () => {
  it("has the labels of its flow run beside its own", async ({ expect }) => {
    const run = await aRun();
    const task = await aTask({ flow_run_id: run, labels: { env: "dev" } });
    expect(task.labels).toMatchObject({
      env: "dev",
      "prefect.flow-run.id": run,
      "prefect.flow.id": expect.any(String),
    });
  });

  it.for([
    { flow: "PENDING", status: "ABORT", state: "Pending" },
    { flow: "PAUSED", status: "REJECT", state: "NotReady" },
    { flow: "RUNNING", status: "ACCEPT", state: "Running" },
  ])("that is to run while its flow is $flow is answered $status", async ({ flow, status, state }, { expect }) => {
    const task = await aTask({ flow_run_id: await aRun(flow) });
    const { body } = await propose(task.id, "RUNNING");
    expect([body.status, body.state?.name]).toEqual([status, state]);
  });
});

describe("what is refused", () => {
  it.for([
    {
      policy: { retries: 3, retry_delay: Array(51).fill(1) },
      says: "Can not configure more than 50 retry delays per task.",
    },
    { policy: { retries: 3, retry_jitter_factor: -1 }, says: "`retry_jitter_factor` must be >= 0." },
  ])("$says", async ({ policy, says }, { expect }) => {
    const request = { task_key: "t", dynamic_key: "0", empirical_policy: policy };
    const { status, body } = await call("POST", "/task_runs/", request);
    expect(status).toBe(422);
    expect(JSON.stringify(body)).toContain(says);
  });

  it("a creation for a flow run that does not exist", async ({ expect }) => {
    const request = { flow_run_id: "0193a000-0000-7000-8000-00000000dead", task_key: "t", dynamic_key: "0" };
    expect((await call("POST", "/task_runs/", request)).status).toBe(404);
  });
});

describe("a task run that stands for a subflow", () => {
  it("counts the attempts of the subflow", async ({ expect }) => {
    const task = await aTask({ flow_run_id: await aRun() });
    const request = { flow_id: (await aFlow()).id, parent_task_run_id: task.id };
    const child = (await call<{ id: string }>("POST", "/flow_runs/", request)).body;
    for (const type of ["RUNNING", "PENDING", "RUNNING"]) {
      const answer = await call("POST", `/flow_runs/${child.id}/set_state`, { state: { type }, force: true });
      expect(answer.status).toBe(201);
    }
    await until("the second attempt is mirrored", async () => (await read(task.id)).run_count === 2);
    expect(await read(task.id)).toMatchObject({ state_type: "RUNNING", run_count: 2 });
  });
});

describe("filters of task runs", () => {
  it("tell those with and without a flow run apart, and those that stand for a subflow", async ({ expect }) => {
    const run = await aRun();
    const parent = await aTask({ flow_run_id: run, dynamic_key: "parent" });
    const plain = await aTask({ flow_run_id: run, dynamic_key: "plain" });
    const alone = await aTask({ dynamic_key: crypto.randomUUID() });
    const flow = await aFlow();
    await call("POST", "/flow_runs/", { flow_id: flow.id, parent_task_run_id: parent.id });
    const ids = { any_: [parent.id, plain.id, alone.id] };
    const found = async (criteria: Record<string, unknown>) => {
      const { body } = await call<TaskRun[]>("POST", "/task_runs/filter", { task_runs: { id: ids, ...criteria } });
      return new Set(body.map(({ id }) => id));
    };
    expect(await found({ flow_run_id: { is_null_: true } })).toEqual(new Set([alone.id]));
    expect(await found({ flow_run_id: { is_null_: false } })).toEqual(new Set([parent.id, plain.id]));
    expect(await found({ flow_run_id: { any_: [run] } })).toEqual(new Set([parent.id, plain.id]));
    expect(await found({ subflow_runs: { exists_: true } })).toEqual(new Set([parent.id]));
    expect(await found({ subflow_runs: { exists_: false } })).toEqual(new Set([plain.id, alone.id]));
  });
});

describe("the history of runs", () => {
  const at = (minutes: number) => new Date(Date.UTC(2030, 0, 1, 0, minutes)).toISOString();
  const filters = { flows: null, flow_runs: null, task_runs: null, deployments: null, work_pools: null };
  const query = (start: number, end: number, seconds: number, more: object = {}) => ({
    history_start: at(start),
    history_end: at(end),
    history_interval_seconds: seconds,
    ...more,
  });

  it("counts task runs by state in the interval in which they were to start", async ({ expect }) => {
    const run = await aRun();
    for (const [key, minutes] of [0, 1, 1, 4].entries()) {
      const state = { type: "SCHEDULED", state_details: { scheduled_time: at(minutes) } };
      await aTask({ flow_run_id: run, dynamic_key: String(key), state });
    }
    const { status, body } = await call<RunHistoryInterval[]>(
      "POST",
      "/task_runs/history",
      query(0, 4, 60, { task_runs: { flow_run_id: { any_: [run] } } }),
    );
    expect(status).toBe(200);
    expect(body.map(({ states }) => states.map(({ count_runs }) => count_runs))).toEqual([[1], [2], [], []]);
    expect(body[1]).toMatchObject({
      interval_start: "2030-01-01T00:01:00.000000Z",
      interval_end: "2030-01-01T00:02:00.000000Z",
    });
    expect(body[1]?.states).toEqual([
      {
        state_type: "SCHEDULED",
        state_name: "Scheduled",
        count_runs: 2,
        sum_estimated_run_time: 0,
        sum_estimated_lateness: 0,
      },
    ]);
  });

  it.for([
    { start: 0, end: 0, seconds: 60, intervals: 0 },
    { start: 1, end: 0, seconds: 60, intervals: 0 },
    { start: 0, end: 1, seconds: 40, intervals: 2 },
    { start: 0, end: 60, seconds: 1, intervals: 500 },
  ])(
    "from minute $start to $end by $seconds s has $intervals intervals",
    async ({ start, end, seconds, intervals }, { expect }) => {
      expect((await call<unknown[]>("POST", "/task_runs/history", query(start, end, seconds))).body).toHaveLength(
        intervals,
      );
    },
  );

  it("refuses intervals below one second", async ({ expect }) => {
    const { status, body } = await call("POST", "/task_runs/history", query(0, 1, 0.9));
    expect(status).toBe(422);
    expect(JSON.stringify(body)).toContain("History interval must not be less than 1 second");
  });

  it("sums the time that runs have run and their lateness, of flow runs too", async ({ expect }) => {
    const flow = await aFlow();
    const since = new Date(Date.now() - 60_000).toISOString();
    const state = { type: "SCHEDULED", state_details: { scheduled_time: since } };
    const { body } = await call<{ id: string }>("POST", "/flow_runs/", { flow_id: flow.id, state });
    const [interval] = await runHistory(
      env,
      FLOW_RUN_TABLE,
      RunHistoryQuery.parse({
        ...filters,
        flow_runs: { id: { any_: [body.id] } },
        history_start: since,
        history_end: new Date().toISOString(),
        history_interval_seconds: 3_600,
      }),
    );
    expect(interval?.states).toMatchObject([{ state_type: "SCHEDULED", count_runs: 1, sum_estimated_run_time: 0 }]);
    const lateness = interval?.states[0]?.sum_estimated_lateness ?? 0;
    expect(lateness).toBeGreaterThanOrEqual(60);
    expect(lateness).toBeLessThan(90);
  });

  it("counts the time of a run that still runs", async ({ expect }) => {
    const run = await aRun();
    const task = await aTask({ flow_run_id: run, state: { type: "RUNNING" } });
    await scheduler.wait(50);
    const { body } = await call<RunHistoryInterval[]>("POST", "/task_runs/history", {
      history_start: new Date(Date.now() - 60_000).toISOString(),
      history_end: new Date(Date.now() + 60_000).toISOString(),
      history_interval_seconds: 3_600,
      task_runs: { id: { any_: [task.id] } },
    });
    const seconds = body[0]?.states[0]?.sum_estimated_run_time ?? 0;
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThan(60);
  });
});
