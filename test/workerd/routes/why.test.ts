/** Why a run is not running, in every situation in which it may wait. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import type { FlowRunId } from "#protocol/ids";
import type { Why, WhyNotRunning } from "#protocol/why";
import { aDeployment, aPool, call } from "../support/api.ts";
import { Pool } from "../support/pools.ts";
import { ownerStub, until } from "../support/runs.ts";

interface Run {
  readonly id: FlowRunId;
}

async function ask(id: string): Promise<WhyNotRunning> {
  const answer = await call<WhyNotRunning>("GET", `/flow_runs/${id}/why`);
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return answer.body;
}

const kinds = async (id: string) => (await ask(id)).reasons.map(({ kind }) => kind);

async function first(id: string): Promise<Why> {
  const [reason] = (await ask(id)).reasons;
  if (!reason) throw new Error("no reason");
  return reason;
}

async function aWaitingRun(more: object = {}): Promise<{ pool: string; deployment: string; run: FlowRunId }> {
  const pool = await aPool();
  const deployment = await aDeployment({ work_pool_name: pool.name });
  const run = (await call<Run>("POST", `/deployments/${deployment.id}/create_flow_run`, more)).body;
  return { pool: pool.name, deployment: deployment.id, run: run.id };
}

const set = (id: string, state: object, force = false) => call("POST", `/flow_runs/${id}/set_state`, { state, force });
const patchPool = (name: string, body: object) => call("PATCH", `/work_pools/${name}`, body);

/** The object of a pool that was made over the API. */
function objectOf(name: string): Pool {
  return Pool.named(name);
}

describe("the reason why a run is not running", () => {
  it("is that it runs or has ended", async ({ expect }) => {
    const { run } = await aWaitingRun();
    await set(run, { type: "RUNNING" }, true);
    expect(await ask(run)).toMatchObject({
      is_waiting: false,
      state_type: "RUNNING",
      reasons: [{ kind: "not_waiting", message: "It is Running." }],
    });
    await set(run, { type: "COMPLETED" });
    expect(await first(run)).toMatchObject({ kind: "not_waiting", message: "It has ended: Completed." });
  });

  it("is that it is not due, or waits for its retry", async ({ expect }) => {
    const scheduled_time = "2099-01-01T00:00:00.000Z";
    const { run } = await aWaitingRun({ state: { type: "SCHEDULED", state_details: { scheduled_time } } });
    expect(await first(run)).toMatchObject({ kind: "not_due", details: { due_at: expect.stringContaining("2099") } });
    expect(await kinds(run)).toEqual(["not_due"]);
    const retried = (await aWaitingRun()).run;
    await call("PATCH", `/flow_runs/${retried}`, { empirical_policy: { retries: 1, retry_delay: 60 } });
    for (const type of ["PENDING", "RUNNING", "FAILED"]) await set(retried, { type });
    expect(await first(retried)).toMatchObject({ kind: "retry_delay", details: { run_count: 1, in_process: true } });
  });

  it("follows the time of a run that waits when the run is put off or brought forward", async ({ expect }) => {
    const { run } = await aWaitingRun();
    const at = (time: string) =>
      set(run, { type: "SCHEDULED", name: "Scheduled", state_details: { scheduled_time: time } });
    expect((await at("2099-01-01T00:00:00Z")).body).toMatchObject({ status: "ACCEPT" });
    expect(await ask(run)).toMatchObject({
      reasons: [{ kind: "not_due", details: { due_at: expect.stringContaining("2099-01-01") } }],
    });
    expect((await call<Run>("GET", `/flow_runs/${run}`)).body).toMatchObject({
      next_scheduled_start_time: expect.stringContaining("2099-01-01"),
    });
    await at(new Date().toISOString());
    await until("it is in line", async () => (await kinds(run)).includes("in_line"));
    expect(await kinds(run)).not.toContain("not_due");
  });

  it("is a limit that let it wait", async ({ expect }) => {
    const { run } = await aWaitingRun();
    const scheduled_time = "2099-01-01T00:00:00.000Z";
    const state = { type: "SCHEDULED", name: "AwaitingConcurrencySlot", message: 'Limit "x" is full.' };
    await set(run, { ...state, state_details: { scheduled_time } }, true);
    expect(await first(run)).toMatchObject({ kind: "awaiting_slot", details: { said: 'Limit "x" is full.' } });
  });

  it("is the limit of its deployment, with who holds it and its place in line", async ({ expect }) => {
    const { id } = await aDeployment({ concurrency_limit: 1 });
    const make = async () => (await call<Run>("POST", `/deployments/${id}/create_flow_run`, {})).body.id;
    const holder = await make();
    await set(holder, { type: "PENDING" });
    const [next, after, unasked] = [await make(), await make(), await make()];
    for (const run of [next, after]) await set(run, { type: "PENDING" });
    expect(await first(after)).toMatchObject({
      kind: "limit_full",
      details: { limit: "deployment", name: `deployment:${id}`, slots: 1, taken: 1, holders: [holder] },
    });
    expect((await ask(after)).reasons[1]).toMatchObject({
      kind: "in_limit_line",
      details: { limit: "deployment", position: 2, waiting: 2 },
    });
    // One that has not asked yet would not get a slot either.
    expect(await kinds(unasked)).toEqual(["no_work_pool", "limit_full"]);
    for (const type of ["RUNNING", "COMPLETED"]) await set(holder, { type });
    // The slot is given back once the state is stored.
    await until("the slot is free", async () => !(await kinds(unasked)).includes("limit_full"));
  });

  it("is the limit of its key, with who holds it and its place in line", async ({ expect }) => {
    const { id } = await aDeployment({ enforce_parameter_schema: false });
    const concurrency = { key: "parameters.who", limit: 1 };
    await call("PUT", `/deployments/${id}/flow_control`, { concurrency });
    const make = async (who: string) =>
      (await call<Run>("POST", `/deployments/${id}/create_flow_run`, { parameters: { who } })).body.id;
    const [holder, next, after, other] = [await make("ada"), await make("ada"), await make("ada"), await make("ben")];
    for (const run of [holder, next, after]) await set(run, { type: "PENDING" });
    expect((await ask(after)).reasons.slice(0, 2)).toMatchObject([
      { kind: "limit_full", details: { limit: "key", name: "ada", slots: 1, taken: 1, holders: [holder] } },
      { kind: "in_limit_line", details: { limit: "key", name: "ada", position: 2, waiting: 2 } },
    ]);
    expect(await kinds(other)).toEqual(["no_work_pool"]);
    const behind = await make("ben");
    for (const run of [other, behind]) await set(run, { type: "PENDING" });
    expect((await ask(behind)).reasons.slice(0, 2)).toMatchObject([
      { kind: "limit_full", details: { name: "ben", slots: 1, taken: 1, holders: [other] } },
      { kind: "in_limit_line", details: { name: "ben", position: 1, waiting: 1 } },
    ]);
  });

  it("is a pause, with its end and whether input is awaited", async ({ expect }) => {
    const { run } = await aWaitingRun();
    await set(run, { type: "RUNNING" }, true);
    const pause_timeout = "2099-01-01T00:00:00.000Z";
    const state_details = { pause_timeout, pause_reschedule: true, run_input_keyset: { schema: "s" } };
    await set(run, { type: "PAUSED", name: "Suspended", state_details }, true);
    expect(await first(run)).toMatchObject({
      kind: "paused",
      details: { until: expect.stringContaining("2099"), waits_for_input: true, is_suspended: true },
    });
  });

  it("is that nobody takes runs of its pool, or that a poller is about to", async ({ expect }) => {
    const { pool, run } = await aWaitingRun();
    expect(await kinds(run)).toEqual(["no_worker_online", "in_line"]);
    await call("POST", `/work_pools/${pool}/workers/heartbeat`, { name: "old-python" });
    expect(await first(run)).toMatchObject({ kind: "awaits_poll", details: { workers: ["old-python"] } });
  });

  it("is a pause of the pool or of the queue", async ({ expect }) => {
    const { pool, run } = await aWaitingRun();
    await patchPool(pool, { is_paused: true });
    await call("PATCH", `/work_pools/${pool}/queues/default`, { is_paused: true });
    expect((await kinds(run)).slice(0, 2)).toEqual(["work_pool_paused", "work_queue_paused"]);
  });

  it("is a limit that is full, with those who hold it, and the place in line", async ({ expect }) => {
    const { pool, deployment, run: holder } = await aWaitingRun();
    await patchPool(pool, { concurrency_limit: 1 });
    await set(holder, { type: "PENDING" });
    const next = (await call<Run>("POST", `/deployments/${deployment}/create_flow_run`, {})).body.id;
    const after = (await call<Run>("POST", `/deployments/${deployment}/create_flow_run`, {})).body.id;
    expect(await first(next)).toMatchObject({
      kind: "limit_full",
      details: { limit: "work_pool", name: pool, slots: 1, taken: 1, holders: [holder] },
    });
    expect((await ask(after)).reasons.at(-1)).toMatchObject({ kind: "in_line", details: { position: 2 } });
    await patchPool(pool, { concurrency_limit: null });
    await call("PATCH", `/work_pools/${pool}/queues/default`, { concurrency_limit: 1 });
    expect(await first(next)).toMatchObject({
      kind: "limit_full",
      details: { limit: "work_queue", name: `${pool}/default`, holders: [holder] },
    });
  });

  it("is workers that are busy, or that take other runs", async ({ expect }) => {
    const { pool, deployment, run } = await aWaitingRun();
    const picky = await objectOf(pool).connect("picky", { queues: ["other"] });
    expect(await first(run)).toMatchObject({ kind: "no_worker_for_queue", details: { workers: ["picky"] } });
    const worker = await objectOf(pool).connect("w1", { limit: 1 });
    await worker.waitFor("run");
    const next = (await call<Run>("POST", `/deployments/${deployment}/create_flow_run`, {})).body.id;
    expect(await first(next)).toMatchObject({
      kind: "workers_busy",
      details: { workers: [{ name: "w1", limit: 1, active: 1, draining: false }] },
    });
    picky.close();
    const last = await objectOf(pool).connect("w2", { limit: 1 });
    await last.waitFor("run");
    const more = (await call<Run>("POST", `/deployments/${deployment}/create_flow_run`, {})).body.id;
    last.send({ type: "drain" });
    last.release();
    await objectOf(pool).shows("w2 is stopping", ({ workers }) =>
      workers.some(({ draining, active }) => draining && !active),
    );
    expect(await first(more)).toMatchObject({
      kind: "workers_busy",
      details: { workers: [{ name: "w1" }, { name: "w2", limit: 1, active: 0, draining: true }] },
    });
  });

  it("is that its owner cannot be asked for it, and when it is asked again", async ({ expect }) => {
    const { pool, deployment, run } = await aWaitingRun();
    const { stub } = objectOf(pool);
    await runInDurableObject(stub, (instance) => {
      instance.claimRun = () => Promise.reject(new Error("It is not there."));
    });
    const worker = await objectOf(pool).connect("w1");
    await until("its claim has failed", async () => (await first(run)).kind === "claim_failing");
    const { details } = (await first(run)) as { details: { retry_at: string } };
    expect(Date.parse(details.retry_at)).toBeGreaterThan(Date.now() - 1_000);
    expect(Date.parse(details.retry_at)).toBeLessThan(Date.now() + 31_000);
    const next = (await call<Run>("POST", `/deployments/${deployment}/create_flow_run`, {})).body.id;
    expect((await ask(next)).reasons.at(-1)).toMatchObject({ kind: "in_line", details: { position: 2 } });
    worker.close();
  });

  it("is that it is being given to a worker, or that a poller is claiming it", async ({ expect }) => {
    const { pool, run } = await aWaitingRun();
    const owner = { isSlow: true };
    await runInDurableObject(objectOf(pool).stub, (instance) => {
      const { claimRun } = instance;
      instance.claimRun = async (...asked) => {
        while (owner.isSlow) await scheduler.wait(0);
        return claimRun(...asked);
      };
    });
    const worker = await objectOf(pool).connect("w1");
    await until("its owner is asked for it", async () => (await first(run)).kind === "being_claimed");
    expect(await ask(run)).toMatchObject({
      is_waiting: true,
      reasons: [{ message: 'It is being given to worker "w1".', details: { worker_name: "w1" } }],
    });
    owner.isSlow = false;
    await worker.waitFor("run");
    expect(await first(run)).toMatchObject({ kind: "claimed", details: { worker_name: "w1" } });
    const polled = await aWaitingRun();
    const queue = { id: null, name: "default", priority: 1 };
    await objectOf(polled.pool).stub.reserve({ id: polled.run, generation: 1, queue });
    expect(await first(polled.run)).toEqual({
      kind: "being_claimed",
      message: "A worker that polls is claiming it.",
      details: { worker_name: null },
    });
  });

  it("says how often it came back, of how many times, and what was said", async ({ expect }) => {
    const { pool, run } = await aWaitingRun();
    const worker = await objectOf(pool).connect("w1");
    await worker.waitFor("run");
    await call("POST", `/flow_runs/${run}/give_back`, { generation: 1, reason: "There is no disk." });
    expect((await ask(run)).reasons.find(({ kind }) => kind === "returned")).toEqual({
      kind: "returned",
      message: "It came back once before its code was started, and ends Crashed after 3: There is no disk.",
      details: { times: 1, times_allowed: 3, reasons: ["There is no disk."] },
    });
    worker.close();
  });

  it("is a claim that nobody has confirmed", async ({ expect }) => {
    const { pool, run } = await aWaitingRun();
    const worker = await objectOf(pool).connect("w1");
    await worker.waitFor("run");
    expect(await first(run)).toMatchObject({
      kind: "claimed",
      details: { worker_name: "w1", generation: 1, until: expect.any(String) },
    });
    const polled = (await aWaitingRun()).run;
    await set(polled, { type: "PENDING" });
    expect(await first(polled)).toMatchObject({ kind: "claimed", details: { worker_name: null } });
  });

  it("is that only a process which serves its deployment takes it", async ({ expect }) => {
    const { id } = await aDeployment();
    const run = (await call<Run>("POST", `/deployments/${id}/create_flow_run`, {})).body.id;
    expect(await first(run)).toMatchObject({ kind: "no_work_pool", details: { deployment_id: id, last_polled: null } });
  });

  it("is that its pool was deleted", async ({ expect }) => {
    const { pool, run } = await aWaitingRun();
    await call("DELETE", `/work_pools/${pool}`);
    expect(await kinds(run)).toEqual(["work_pool_deleted"]);
  });

  it("is a message to the pool that was given up", async ({ expect }) => {
    const { pool, run } = await aWaitingRun();
    await objectOf(pool).stub.withdraw(run);
    expect(await kinds(run)).toEqual(["not_offered"]);
    const id = crypto.randomUUID();
    await env.DB.prepare("INSERT INTO dead_letters (id, queue, body, attempts, created) VALUES (?, ?, ?, ?, ?)")
      .bind(id, "dispatch", JSON.stringify({ flow_run_id: run }), 10, Date.now())
      .run();
    expect(await first(run)).toMatchObject({ kind: "dead_lettered", details: { dead_letter_id: id, attempts: 10 } });
    await ownerStub(run).offer(run);
    await until("it waits in line again", async () => (await kinds(run)).includes("in_line"));
    expect(await kinds(run)).not.toContain("dead_lettered");
  });

  it("is not to be had of a run that does not exist", async ({ expect }) => {
    const answer = await call("GET", "/flow_runs/0193a000-0000-7000-8000-00000000dead/why");
    expect(answer.status).toBe(404);
  });
});
