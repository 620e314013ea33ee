/** Every criterion of the filters, over a handful of rows. Alone in its file: what is not named here is not there. */
import { env } from "cloudflare:workers";
import { beforeAll, describe, it } from "vitest";
import { call } from "../support/api.ts";

const id = (n: number) => `0193a000-0000-7000-8000-${n.toString().padStart(12, "0")}`;
const [F1, F2, P1, P2, D1, D2] = [1, 2, 11, 12, 21, 22].map(id) as [string, string, string, string, string, string];
const [F3, Q1, Q2] = [3, 51, 52].map(id) as [string, string, string];
const [ALPHA, BETA, GAMMA, EXTRACT, LOAD, LOOSE] = [31, 32, 33, 41, 42, 43].map(id) as [
  string,
  string,
  string,
  string,
  string,
  string,
];
const T1 = Date.UTC(2026, 0, 1);
const [T2, T3] = [T1 + 60_000, T1 + 120_000];
const at = (ms: number) => new Date(ms).toISOString();

/** Puts one row, whose columns are the keys; lists become JSON. */
function put(table: string, row: Record<string, unknown>): D1PreparedStatement {
  const values = Object.values(row).map((value) => (Array.isArray(value) ? JSON.stringify(value) : value));
  const marks = values.map(() => "?").join();
  return env.DB.prepare(`INSERT INTO ${table} (${Object.keys(row).join()}) VALUES (${marks})`).bind(...values);
}

/** Of a run's document, what lists look at: which run it is, and what the filters find in it. */
function doc(of: string, name: string, more: object = {}): string {
  return JSON.stringify({
    id: of,
    name,
    state_type: null,
    state: null,
    expected_start_time: null,
    total_run_time: 0,
    ...more,
  });
}

function run(of: string, name: string, columns: object, more: object = {}): D1PreparedStatement {
  return put("flow_runs", { id: of, version: 1, name, ...columns, doc: doc(of, name, more) });
}

function task(of: string, name: string, columns: object, more: object = {}): D1PreparedStatement {
  const row = { id: of, version: 1, name, task_key: name, dynamic_key: "0", ...columns, doc: doc(of, name, more) };
  return put("task_runs", row);
}

beforeAll(async () => {
  const made = { created: T1, updated: T1 };
  const pool = { ...made, default_queue_id: id(99) };
  await env.DB.batch([
    put("flows", { id: F1, name: "Orders", tags: ["x"], created: T1, updated: T3 }),
    put("flows", { id: F2, name: "reports", created: T2, updated: T2 }),
    put("work_pools", { id: P1, name: "local", type: "process", ...pool }),
    put("work_pools", { id: P2, name: "cloud", type: "docker", ...pool }),
    put("work_queues", { id: Q1, work_pool_id: P1, name: "fast", ...made }),
    put("work_queues", { id: Q2, work_pool_id: P2, name: "Faster", ...made }),
    put("flows", { id: F3, name: "unused", created: T1, updated: T1 }),
    put("deployments", {
      id: D1,
      flow_id: F1,
      name: "Nightly",
      work_pool_id: P1,
      work_queue_id: Q1,
      tags: ["x", "y"],
      doc: "{}",
      created: T1,
      updated: T3,
    }),
    put("deployments", { id: D2, flow_id: F2, name: "weekly", paused: 1, doc: "{}", created: T2, updated: T2 }),
    run(
      ALPHA,
      "alpha",
      {
        flow_id: F1,
        deployment_id: D1,
        work_pool_id: P1,
        state_type: "COMPLETED",
        state_name: "Completed",
        expected_start_time: T1,
        start_time: T1,
        end_time: T2,
        tags: ["x"],
      },
      { work_queue_name: "fast", work_queue_id: Q1, idempotency_key: "key-a", flow_version: "v1" },
    ),
    run(
      BETA,
      "Beta",
      {
        flow_id: F1,
        parent_task_run_id: EXTRACT,
        state_type: "SCHEDULED",
        state_name: "Late",
        expected_start_time: T2,
        next_scheduled_start_time: T2,
        tags: ["x", "y"],
      },
      { work_queue_name: null, idempotency_key: null },
    ),
    run(
      GAMMA,
      "gamma",
      {
        flow_id: F2,
        deployment_id: D2,
        work_pool_id: P2,
        state_type: "RUNNING",
        state_name: "Running",
        expected_start_time: T3,
        start_time: T3,
      },
      { work_queue_name: "slow", idempotency_key: "key-c", created_by: { id: id(77), type: "AUTOMATION" } },
    ),
    task(EXTRACT, "extract", {
      flow_run_id: ALPHA,
      state_type: "COMPLETED",
      state_name: "Completed",
      expected_start_time: T1,
      start_time: T1,
      end_time: T2,
      tags: ["x"],
    }),
    task(LOAD, "Load", {
      flow_run_id: GAMMA,
      state_type: "RUNNING",
      state_name: "Running",
      expected_start_time: T3,
      start_time: T3,
    }),
    task(
      LOOSE,
      "loose",
      { state_type: "PENDING", state_name: "Waiting", expected_start_time: T2, tags: ["x", "y"] },
      { next_scheduled_start_time: at(T2) },
    ),
  ]);
});

/** What a list answers to a filter, by name; the count must agree with it. */
async function find(resource: string, filter: object): Promise<readonly (string | number)[]> {
  const { body } = await call<{ name: string }[]>("POST", `/${resource}/filter`, filter);
  const names = body.map(({ name }) => name).sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
  const count = (await call<number>("POST", `/${resource}/count`, filter)).body;
  return count === names.length ? names : [...names, count];
}

async function order(resource: string, sort: string): Promise<string[]> {
  return (await call<{ name: string }[]>("POST", `/${resource}/filter`, { sort })).body.map(({ name }) => name);
}

type Case = readonly [criterion: object, found: readonly string[]];
const ALL_RUNS = ["alpha", "Beta", "gamma"];
const ALL_TASKS = ["extract", "Load", "loose"];

/** The criteria of an instant that is T1 for `first`, T2 for `second` and T3 for `third`; those that have none are last. */
function instants(
  field: string,
  first: readonly string[],
  second: readonly string[],
  third: readonly string[],
): Case[] {
  return [
    [{ [field]: { before_: at(T1) } }, first],
    [{ [field]: { before_: at(T1 - 1) } }, []],
    [{ [field]: { after_: at(T3) } }, third],
    [{ [field]: { after_: at(T3 + 1) } }, []],
    [{ [field]: { after_: at(T1 + 1), before_: at(T3 - 1) } }, second],
  ];
}

describe("flow runs", () => {
  it.for<Case>([
    [{}, ALL_RUNS],
    [{ id: { any_: [ALPHA.toUpperCase(), id(404)] } }, ["alpha"]],
    [{ id: { any_: [] } }, []],
    [{ id: { not_any_: [ALPHA] } }, ["Beta", "gamma"]],
    [{ name: { any_: ["Beta", "beta"] } }, ["Beta"]],
    [{ name: { like_: "BET" } }, ["Beta"]],
    [{ name: { like_: "a%a" } }, ["alpha", "gamma"]],
    [{ name: { like_: "_et" } }, ["Beta"]],
    [{ name: { like_: "%" } }, ALL_RUNS],
    [{ name: { like_: "b_t" } }, ["Beta"]],
    [{ name: { like_: "b_t".padEnd(60, "_") } }, []],
    [{ tags: { all_: ["x", "y"] } }, ["Beta"]],
    [{ tags: { all_: ["x", "y", "x"] } }, ["Beta"]],
    [{ tags: { all_: [] } }, ALL_RUNS],
    [{ tags: { any_: ["y", "z"] } }, ["Beta"]],
    [{ tags: { is_null_: true } }, ["gamma"]],
    [{ tags: { is_null_: false } }, ["alpha", "Beta"]],
    [{ tags: { operator: "or_", all_: ["y"], is_null_: true } }, ["Beta", "gamma"]],
    [{ deployment_id: { any_: [D1] } }, ["alpha"]],
    [{ deployment_id: { is_null_: true } }, ["Beta"]],
    [{ deployment_id: { operator: "or_", any_: [D2], is_null_: true } }, ["Beta", "gamma"]],
    [{ work_queue_name: { any_: ["fast", "none"] } }, ["alpha"]],
    [{ work_queue_name: { is_null_: true } }, ["Beta"]],
    [{ work_queue_name: { is_null_: false } }, ["alpha", "gamma"]],
    [{ work_queue_name: { operator: "or_", any_: ["slow"], is_null_: true } }, ["Beta", "gamma"]],
    [{ state: { type: { any_: ["RUNNING", "SCHEDULED"] } } }, ["Beta", "gamma"]],
    [{ state: { type: { not_any_: ["RUNNING"] } } }, ["alpha", "Beta"]],
    [{ state: { name: { any_: ["Late"] } } }, ["Beta"]],
    [{ state: { name: { not_any_: ["Late"] } } }, ["alpha", "gamma"]],
    [{ state: { type: { any_: ["RUNNING"] }, name: { any_: ["Late"] } } }, []],
    [{ state: { operator: "or_", type: { any_: ["RUNNING"] }, name: { any_: ["Late"] } } }, ["Beta", "gamma"]],
    // A run that has not started counts with the time at which it is to start.
    ...instants("start_time", ["alpha"], ["Beta"], ["gamma"]),
    [{ start_time: { is_null_: true } }, ["Beta"]],
    [{ end_time: { before_: at(T2) } }, ["alpha"]],
    [{ end_time: { after_: at(T2 + 1) } }, []],
    [{ end_time: { is_null_: false } }, ["alpha"]],
    ...instants("expected_start_time", ["alpha"], ["Beta"], ["gamma"]),
    [{ next_scheduled_start_time: { after_: at(T2), before_: at(T2) } }, ["Beta"]],
    [{ parent_task_run_id: { any_: [EXTRACT] } }, ["Beta"]],
    [{ parent_task_run_id: { is_null_: true } }, ["alpha", "gamma"]],
    [{ parent_flow_run_id: { any_: [ALPHA] } }, ["Beta"]],
    [{ idempotency_key: { any_: ["key-a", "key-c"] } }, ["alpha", "gamma"]],
    [{ idempotency_key: { not_any_: ["key-a"] } }, ["gamma"]],
    [{ flow_version: { any_: ["v1"] } }, ["alpha"]],
    [{ created_by: { id_: [id(77)] } }, ["gamma"]],
    [{ created_by: { type_: ["AUTOMATION"] } }, ["gamma"]],
    [{ created_by: { is_null_: true } }, ["alpha", "Beta"]],
    [{ created_by: { operator: "or_", type_: ["AUTOMATION"], is_null_: true } }, ALL_RUNS],
    [{ operator: "or_", name: { any_: ["alpha"] }, tags: { is_null_: true } }, ["alpha", "gamma"]],
    [{ operator: "and_", name: { any_: ["alpha"] }, tags: { is_null_: true } }, []],
  ])("with %j are %j", async ([criterion, found], { expect }) => {
    expect(await find("flow_runs", { flow_runs: criterion })).toEqual(found);
  });

  it.for<Case>([
    [{ flows: { name: { any_: ["Orders"] } } }, ["alpha", "Beta"]],
    [{ flows: { tags: { is_null_: true } } }, ["gamma"]],
    [{ deployments: { name: { like_: "night" } } }, ["alpha"]],
    [{ deployments: { paused: { eq_: true } } }, ["gamma"]],
    [{ work_pools: { type: { any_: ["docker"] } } }, ["gamma"]],
    [{ work_pool_queues: { name: { any_: ["fast"] } } }, ["alpha"]],
    [{ work_pool_queues: { id: { any_: [Q2] } } }, []],
    [{ task_runs: { state: { type: { any_: ["COMPLETED"] } } } }, ["alpha"]],
    [{ flows: { id: { any_: [F1] } }, task_runs: { name: { any_: ["Load"] } } }, []],
    [{ flows: null, deployments: null, work_pools: null }, ALL_RUNS],
    // A filter without criteria asks for runs that have a deployment, a pool, a task run at all.
    [{ flows: null, deployments: {}, work_pools: { operator: null } }, ["alpha", "gamma"]],
  ])("of %j are %j", async ([filter, found], { expect }) => {
    expect(await find("flow_runs", filter)).toEqual(found);
  });

  it.for([
    ["ID_DESC", ["gamma", "Beta", "alpha"]],
    ["START_TIME_ASC", ["alpha", "Beta", "gamma"]],
    ["START_TIME_DESC", ["gamma", "Beta", "alpha"]],
    ["EXPECTED_START_TIME_ASC", ["alpha", "Beta", "gamma"]],
    ["EXPECTED_START_TIME_DESC", ["gamma", "Beta", "alpha"]],
    ["NEXT_SCHEDULED_START_TIME_ASC", ["Beta", "gamma", "alpha"]],
    ["END_TIME_DESC", ["alpha", "gamma", "Beta"]],
    ["NAME_ASC", ["Beta", "alpha", "gamma"]],
    ["NAME_DESC", ["gamma", "alpha", "Beta"]],
  ] as const)("sorted by %s are %j", async ([sort, names], { expect }) => {
    expect(await order("flow_runs", sort)).toEqual(names);
  });

  it("come in pages that neither repeat nor miss one", async ({ expect }) => {
    const page = async (offset: number, limit: number) =>
      (await call<{ name: string }[]>("POST", "/flow_runs/filter", { offset, limit })).body.map(({ name }) => name);
    expect([...(await page(0, 2)), ...(await page(2, 2))]).toEqual(["gamma", "Beta", "alpha"]);
    expect(await page(0, 0)).toEqual([]);
    expect(await page(3, 2)).toEqual([]);
  });
});

describe("task runs", () => {
  it.for<Case>([
    [{}, ALL_TASKS],
    [{ id: { any_: [LOAD] } }, ["Load"]],
    [{ id: { not_any_: [LOAD] } }, ["extract", "loose"]],
    [{ name: { any_: ["extract"] } }, ["extract"]],
    [{ name: { like_: "LO" } }, ["Load", "loose"]],
    [{ tags: { all_: ["y"] } }, ["loose"]],
    [{ tags: { any_: ["x"] } }, ["extract", "loose"]],
    [{ tags: { is_null_: true } }, ["Load"]],
    [{ state: { type: { any_: ["PENDING"] } } }, ["loose"]],
    [{ state: { name: { any_: ["Waiting", "Running"] } } }, ["Load", "loose"]],
    ...instants("start_time", ["extract"], [], ["Load"]),
    [{ start_time: { is_null_: true } }, ["loose"]],
    [{ end_time: { is_null_: false } }, ["extract"]],
    ...instants("expected_start_time", ["extract"], ["loose"], ["Load"]),
    [{ flow_run_id: { any_: [ALPHA, GAMMA] } }, ["extract", "Load"]],
    [{ flow_run_id: { is_null_: true } }, ["loose"]],
    [{ flow_run_id: { is_null_: false } }, ["extract", "Load"]],
    [{ operator: "or_", name: { any_: ["Load"] }, flow_run_id: { is_null_: true } }, ["Load", "loose"]],
  ])("with %j are %j", async ([criterion, found], { expect }) => {
    expect(await find("task_runs", { task_runs: criterion })).toEqual(found);
  });

  it.for<Case>([
    [{ flow_runs: { state: { type: { any_: ["RUNNING"] } } } }, ["Load"]],
    [{ flows: { id: { any_: [F1] } } }, ["extract"]],
    [{ deployments: { id: { any_: [D2] } } }, ["Load"]],
    [{ work_pools: { name: { any_: ["local"] } } }, ["extract"]],
  ])("of %j are %j", async ([filter, found], { expect }) => {
    expect(await find("task_runs", filter)).toEqual(found);
  });

  it.for([
    ["ID_DESC", ["loose", "Load", "extract"]],
    ["EXPECTED_START_TIME_ASC", ["extract", "loose", "Load"]],
    ["EXPECTED_START_TIME_DESC", ["Load", "loose", "extract"]],
    ["NEXT_SCHEDULED_START_TIME_ASC", ["loose", "Load", "extract"]],
    ["END_TIME_DESC", ["extract", "loose", "Load"]],
    ["NAME_ASC", ["Load", "extract", "loose"]],
    ["NAME_DESC", ["loose", "extract", "Load"]],
  ] as const)("sorted by %s are %j", async ([sort, names], { expect }) => {
    expect(await order("task_runs", sort)).toEqual(names);
  });
});

describe("flows, deployments and pools", () => {
  it.for<readonly [resource: string, filter: object, found: readonly string[]]>([
    ["flows", { flows: { id: { any_: [F1] } } }, ["Orders"]],
    ["flows", { flows: { id: { not_any_: [F1] } } }, ["reports", "unused"]],
    ["flows", { flows: { name: { like_: "ORD" } } }, ["Orders"]],
    ["flows", { flows: { name: { any_: ["unused", "reports"] } } }, ["reports", "unused"]],
    ["flows", { flows: { tags: { all_: ["x"] } } }, ["Orders"]],
    ["flows", { flows: { deployment: { is_null_: true } } }, ["unused"]],
    ["flows", { flows: { deployment: { is_null_: false } } }, ["Orders", "reports"]],
    ["flows", { flow_runs: { state: { type: { any_: ["RUNNING"] } } } }, ["reports"]],
    ["flows", { deployments: { paused: { eq_: false } } }, ["Orders"]],
    // As upstream: by their deployments, not by their runs.
    ["flows", { work_pools: { name: { any_: ["local"] } } }, ["Orders"]],
    ["flows", { work_pools: { name: { any_: ["cloud"] } } }, []],
    ["flows", { work_pools: {}, deployments: { name: { any_: ["weekly"] } } }, []],
    ["flows", { task_runs: { name: { any_: ["extract"] } } }, ["Orders"]],
    ["deployments", { deployments: { id: { any_: [D2] } } }, ["weekly"]],
    ["deployments", { deployments: { name: { like_: "LY" } } }, ["Nightly", "weekly"]],
    ["deployments", { deployments: { tags: { all_: ["x", "y"] } } }, ["Nightly"]],
    ["deployments", { deployments: { paused: { eq_: true } } }, ["weekly"]],
    ["deployments", { deployments: { flow_or_deployment_name: { like_: "ORDER" } } }, ["Nightly"]],
    ["deployments", { deployments: { flow_or_deployment_name: { like_: "week" } } }, ["weekly"]],
    ["deployments", { deployments: { work_queue_name: { any_: ["fast"] } } }, ["Nightly"]],
    ["deployments", { deployments: { concurrency_limit: { ge_: 1 } } }, ["Nightly", "weekly"]],
    ["deployments", { work_pool_queues: { name: { startswith_: ["FAS"] } } }, ["Nightly"]],
    ["deployments", { flows: { name: { any_: ["Orders"] } } }, ["Nightly"]],
    ["deployments", { work_pools: { name: { any_: ["local"] } } }, ["Nightly"]],
    ["deployments", { flow_runs: { name: { any_: ["gamma"] } } }, ["weekly"]],
    ["deployments", { task_runs: { name: { any_: ["extract"] } } }, ["Nightly"]],
    ["work_pools", { work_pools: { id: { any_: [P1] } } }, ["local"]],
    ["work_pools", { work_pools: { name: { any_: ["cloud"] } } }, ["cloud"]],
    ["work_pools", { work_pools: { type: { any_: ["process", "docker"] } } }, ["cloud", "local"]],
    [
      "work_pools",
      { work_pools: { operator: "or_", name: { any_: ["cloud"] }, type: { any_: ["process"] } } },
      ["cloud", "local"],
    ],
  ])("%s by %j are %j", async ([resource, filter, found], { expect }) => {
    expect(await find(resource, filter)).toEqual(found);
  });

  it.for([
    ["flows", ["Orders", "reports"]],
    ["deployments", ["Nightly", "weekly"]],
  ] as const)("%s come in the order that is asked for", async ([resource, [first, second]], { expect }) => {
    const inOrder = async (sort: string) => (await order(resource, sort)).filter((name) => name !== "unused");
    expect(await inOrder("NAME_ASC")).toEqual([first, second]);
    expect(await inOrder("NAME_DESC")).toEqual([second, first]);
    expect(await inOrder("CREATED_DESC")).toEqual([second, first]);
    expect(await inOrder("UPDATED_DESC")).toEqual([first, second]);
  });
});

describe("artifacts", () => {
  it("are found by each of their criteria", async ({ expect }) => {
    const make = async (body: object) => (await call<{ id: string }>("POST", "/artifacts/", body)).body.id;
    const table = await make({ key: "daily-table", type: "table", flow_run_id: ALPHA, data: [1] });
    const text = await make({ key: "daily-text", type: "markdown", task_run_id: LOAD, data: "# x" });
    const bare = await make({ data: null });
    for (const [criterion, found] of [
      [{}, [bare, text, table]],
      [{ id: { any_: [text] } }, [text]],
      [{ key: { any_: ["daily-table"] } }, [table]],
      [{ key: { like_: "DAILY" } }, [text, table]],
      [{ key: { exists_: false } }, [bare]],
      [{ key: { exists_: true } }, [text, table]],
      [{ type: { any_: ["table"] } }, [table]],
      [{ type: { not_any_: ["table"] } }, [text]],
      [{ flow_run_id: { any_: [ALPHA] } }, [table]],
      [{ task_run_id: { any_: [LOAD] } }, [text]],
    ] as const) {
      const { body } = await call<{ id: string }[]>("POST", "/artifacts/filter", { artifacts: criterion });
      expect(
        body.map((artifact) => artifact.id),
        JSON.stringify(criterion),
      ).toEqual(found);
      expect((await call("POST", "/artifacts/count", { artifacts: criterion })).body).toBe(found.length);
    }
    for (const [filter, found] of [
      [{ flow_runs: { name: { any_: ["alpha"] } } }, [table]],
      [{ flows: { name: { any_: ["Orders"] } } }, [table]],
      [{ deployments: { name: { any_: ["weekly"] } } }, []],
      [{ task_runs: { name: { any_: ["Load"] } } }, [text]],
    ] as const) {
      const { body } = await call<{ id: string }[]>("POST", "/artifacts/filter", filter);
      expect(
        body.map((artifact) => artifact.id),
        JSON.stringify(filter),
      ).toEqual(found);
      expect((await call("POST", "/artifacts/latest/count", filter)).body).toBe(found.length);
    }
  });
});

describe("criteria that mean nothing", () => {
  it.for([
    [{ flow_runs: { id: { any_: ["not-an-id"] } } }, ["body", "flow_runs", "id", "any_", 0]],
    [{ flow_runs: { state: { type: { any_: ["DONE"] } } } }, ["body", "flow_runs", "state", "type", "any_", 0]],
    [{ flow_runs: { start_time: { after_: "yesterday" } } }, ["body", "flow_runs", "start_time", "after_"]],
    [{ flow_runs: { operator: "xor_" } }, ["body", "flow_runs", "operator"]],
    [{ flow_runs: [] }, ["body", "flow_runs"]],
    [{ sort: "BY_MOOD" }, ["body", "sort"]],
  ] as const)("%j gets 422 and the field", async ([filter, loc], { expect }) => {
    const answer = await call("POST", "/flow_runs/filter", filter);
    expect(answer).toMatchObject({ status: 422, body: { exception_detail: [{ loc }] } });
  });
});
