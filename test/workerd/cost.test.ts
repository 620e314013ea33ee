/** What a run of 10 tasks and 25 log lines may cost (DESIGN §8), counted through the API and both channels. */
import { runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { it } from "vitest";
import { partitionName, partitionOf, windowOf } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";
import { Meter } from "./support/meter.ts";
import { until } from "./support/runs.ts";

const BUDGET = { objectRows: 45, d1Rows: 30, workerRequests: 10, objectRequests: 20 };
const TASKS = 10;
const LINES = 25;

async function api<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await exports.default.fetch(`http://localhost/api${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return response.status === 204 ? (undefined as T) : response.json();
}

async function open(path: string) {
  const response = await exports.default.fetch(`http://localhost/api${path}`, { headers: { upgrade: "websocket" } });
  const socket = response.webSocket;
  if (!socket) throw new Error(`No WebSocket at ${path}: ${response.status}`);
  const frames: Record<string, unknown>[] = [];
  socket.addEventListener("message", ({ data }) => frames.push(JSON.parse(String(data))));
  socket.accept();
  return {
    send: (frame: unknown) => socket.send(JSON.stringify(frame)),
    next: (type: string) =>
      until(type, async () => {
        const index = frames.findIndex((frame) => frame["type"] === type);
        return index < 0 ? null : frames.splice(index, 1)[0];
      }),
    close: () => socket.close(),
  };
}

const report = (index: number, types: readonly string[], id: string) => ({
  kind: "task",
  task: {
    id,
    name: `task-${index}`,
    task_key: "task",
    dynamic_key: String(index),
    run_count: 1,
    states: types.map((type, step) => ({
      id: crypto.randomUUID(),
      type,
      name: type,
      timestamp: new Date(Date.now() + step).toISOString(),
      message: null,
      data: null,
      state_details: {},
    })),
  },
});

const line = (number: number) => ({
  kind: "log",
  log: { name: "flow", level: 20, message: `line ${number}`, timestamp: new Date().toISOString() },
});

it("stays within the budget of rows and requests", { timeout: 30_000 }, async ({ expect }) => {
  const flow = await api<{ id: string }>("POST", "/flows/", { name: "cost" });
  await api("POST", "/work_pools/", { name: "cost-pool", type: "process" });
  const deployment = await api<{ id: string }>("POST", "/deployments/", {
    name: "cost",
    flow_id: flow.id,
    work_pool_name: "cost-pool",
    entrypoint: "flow.ts:main",
  });
  const worker = await open("/work_pools/cost-pool/channel");
  worker.send({ type: "hello", protocol: 1, worker_name: "w", worker_type: "process", limit: 10 });
  await worker.next("welcome");
  // The partition's first run makes its tables: a cost of the object, not of the run.
  const first = await api<{ id: string }>("POST", "/flow_runs/", { flow_id: flow.id });
  const stub = env.FLOW_RUNS.getByName(partitionOf(first.id) ?? partitionName(windowOf(Date.now() as EpochMs), 0));
  const storage = await runInDurableObject(stub, (_, state) => state.storage);
  await scheduler.wait(50);

  using meter = new Meter(storage);
  const created = await api<{ id: string }>("POST", `/deployments/${deployment.id}/create_flow_run`, {});
  const pushed = await worker.next("run");
  const { flow_run_id: id, generation } = pushed["ticket"] as { flow_run_id: string; generation: number };
  expect(id).toBe(created.id);
  const run = await open(`/flow_runs/${id}/channel`);
  run.send({ type: "hello", protocol: 1, session: crypto.randomUUID(), generation });
  await run.next("welcome");
  run.send({ type: "propose", id: 1, state: { type: "RUNNING" } });
  await run.next("verdict");
  // Tasks one after another, as an SDK reports them: a frame as each starts, one as it ends and the next starts.
  let printed = 0;
  let n = 0;
  for (let index = 0; index < TASKS; index++) {
    const id = crypto.randomUUID();
    const lines = Array.from({ length: index % 2 === 0 ? 3 : 2 }, () => line(++printed));
    run.send({ type: "batch", n: ++n, items: [report(index, ["PENDING", "RUNNING", "COMPLETED"], id), ...lines] });
    await run.next("ack");
  }
  expect(printed).toBe(LINES);
  run.send({ type: "propose", id: 2, state: { type: "COMPLETED" } });
  await run.next("verdict");
  worker.send({ type: "released", flow_run_id: id, generation });
  await until("everything is copied", async () => {
    const { results } = await env.DB.prepare("SELECT state_type FROM task_runs WHERE flow_run_id = ?").bind(id).all();
    const row = await env.DB.prepare("SELECT state_type FROM flow_runs WHERE id = ?").bind(id).first();
    return results.length === TASKS && row?.["state_type"] === "COMPLETED";
  });
  await until("the slot is free", async () => (await env.WORK_POOLS.getByName("cost-pool").status()).held === 0);

  const spent = {
    objectRows: meter.rows,
    d1Rows: meter.d1Rows,
    // create_flow_run and the upgrade of the run channel; the worker's socket was open before.
    workerRequests: 2,
    objectRequests: meter.objectRequests,
  };
  console.warn("spent", JSON.stringify(spent));
  for (const [what, most] of Object.entries(BUDGET)) {
    expect(
      spent[what as keyof typeof spent],
      `${what} of a run with ${TASKS} tasks and ${LINES} lines`,
    ).toBeLessThanOrEqual(most);
    expect(spent[what as keyof typeof spent], `${what} are counted at all`).toBeGreaterThan(0);
  }
});

it("copies a task that is told of twice within a second once, when it has ended", { timeout: 30_000 }, async ({
  expect,
}) => {
  const flow = await api<{ id: string }>("POST", "/flows/", { name: "cost" });
  const created = await api<{ id: string }>("POST", "/flow_runs/", { flow_id: flow.id, state: { type: "RUNNING" } });
  const stub = env.FLOW_RUNS.getByName(partitionOf(created.id) ?? "");
  const storage = await runInDurableObject(stub, (_, state) => state.storage);
  const run = await open(`/flow_runs/${created.id}/channel`);
  run.send({ type: "hello", protocol: 1, session: crypto.randomUUID(), generation: null });
  await run.next("welcome");

  using meter = new Meter(storage);
  const task = crypto.randomUUID();
  run.send({ type: "batch", n: 1, items: [report(0, ["RUNNING"], task)] });
  await run.next("ack");
  // Longer than the delay after which a task that has ended is copied, shorter than that of one that goes on.
  await scheduler.wait(300);
  run.send({ type: "batch", n: 2, items: [report(0, ["COMPLETED"], task)] });
  await run.next("ack");
  await until("the copy", async () => {
    const row = await env.DB.prepare("SELECT state_type FROM task_runs WHERE id = ?").bind(task).first();
    return row?.["state_type"] === "COMPLETED";
  });
  // The row and its entry in the index of ids.
  expect(meter.d1Rows).toBe(2);
});
