/** The life of a worker, with jobs that start nothing: what it takes, what it tells, and when it stops. */
import { describe, it, vi } from "vitest";
import { createClient } from "../../../sdk/client/index.ts";
import { FlowRunId } from "../../../sdk/protocol/ids.ts";
import type { RunTicket } from "../../../sdk/protocol/worker-channel.ts";
import { Runner, type RunnerEvent, type RunnerOptions } from "../../../sdk/runner/runner.ts";
import { eventually } from "../../support/eventually.ts";
import { fakeJobs, KILLED, REPORTED } from "./fake-jobs.ts";
import { type Connection, type ScriptedPool, startScriptedPool, TEMPLATE } from "./scripted-pool.ts";

function startRunner(pool: ScriptedPool, options: Partial<RunnerOptions> = {}) {
  const events: RunnerEvent[] = [];
  const runner = new Runner({
    client: createClient({ url: pool.url }),
    poolName: "local",
    workerName: "w1",
    infrastructure: fakeJobs({ ends: REPORTED }),
    onEvent: (event) => events.push(event),
    ...options,
  });
  runner.start();
  const count = (kind: RunnerEvent["kind"]): number => events.filter((event) => event.kind === kind).length;
  const states = () => events.flatMap((event) => (event.kind === "state" ? [event.state.kind] : []));
  return { runner, count, states, [Symbol.asyncDispose]: () => runner.stopNow("the test is over") };
}

const idOf = (n: number): FlowRunId => FlowRunId.parse(`01a1fcd3-d6d8-7000-8002-${String(n).padStart(12, "0")}`);

function ticket(n: number, generation = 1): RunTicket {
  const nothing = { deployment_id: null, path: null, pull_steps: null, work_queue_name: null, run_token: null };
  const run = { flow_run_id: idOf(n), name: `run-${n}`, generation, lease_ms: 30_000 };
  return { ...run, ...nothing, entrypoint: "flows.ts:main", job_variables: {} };
}

const welcomed = (pool: ScriptedPool, nth = 0): Promise<Connection> =>
  eventually(`connection ${nth + 1}`, () =>
    pool.connections[nth]?.frames().length ? pool.connections[nth] : undefined,
  );
const released = (connection: Connection): string[] =>
  connection
    .frames()
    .flatMap((frame) => (frame.type === "released" ? [`${frame.flow_run_id.slice(-1)}/${frame.generation}`] : []));

describe("a worker that drains", () => {
  it("waits for its runs, tells their ends, and starts nothing beforehand any more", async ({ expect }) => {
    await using pool = await startScriptedPool();
    const jobs = fakeJobs();
    await using worker = startRunner(pool, { infrastructure: jobs });
    const connection = await welcomed(pool);
    connection.send({ type: "run", ticket: ticket(1) });
    await eventually("it is started", () => jobs.started.length === 1);
    worker.runner.drain("enough");
    expect([worker.runner.state.kind, jobs.seen.at(-1)]).toEqual(["draining", "stop"]);
    // Claimed on its behalf before the pool heard of it.
    connection.send({ type: "run", ticket: ticket(2) });
    await eventually("that is started, too", () => jobs.started.length === 2);
    jobs.started[0]?.end(REPORTED);
    await eventually("its end is told", () => released(connection).length === 1);
    expect(worker.runner.state.kind).toBe("draining");
    jobs.started[1]?.end(REPORTED);
    expect((await worker.runner.stopped).because).toBe("enough");
    expect(released(connection)).toEqual(["1/1", "2/1"]);
  });

  it("says so again when it had to connect again", async ({ expect }) => {
    await using pool = await startScriptedPool();
    const jobs = fakeJobs();
    await using worker = startRunner(pool, { infrastructure: jobs });
    const first = await welcomed(pool);
    first.send({ type: "run", ticket: ticket(1) });
    await eventually("it is started", () => jobs.started.length === 1);
    worker.runner.drain("enough");
    first.socket.terminate();
    const second = await welcomed(pool, 1);
    await eventually("it said so", () => second.frames().some(({ type }) => type === "drain"));
    expect(worker.runner.state.kind).toBe("draining");
  });

  it("tells of its beginning, its runs and its end as events", async ({ expect }) => {
    await using pool = await startScriptedPool();
    await using worker = startRunner(pool);
    const connection = await welcomed(pool);
    connection.send({ type: "run", ticket: ticket(1) });
    await eventually("it is done", () => worker.count("run-ended") === 1);
    worker.runner.drain("enough");
    await worker.runner.stopped;
    const told = pool.requests.filter((asked) => asked.startsWith("POST /api/events")).join();
    const names = [...told.matchAll(/"event":"prefect\.worker\.([\w-]+)"/g)].map(([, name]) => name);
    expect(names).toEqual(["started", "submitted-flow-run", "executed-flow-run", "stopped"]);
  });
});

describe("a worker that is stopped at once", () => {
  it("kills its runs, also one whose code is still brought", async ({ expect }) => {
    await using pool = await startScriptedPool();
    let prepares = 0;
    const jobs = fakeJobs({
      // The second one waits until it is told to end.
      before: (ending) => prepares++ > 0 && new Promise<void>((go) => ending.addEventListener("abort", () => go())),
    });
    await using worker = startRunner(pool, { infrastructure: jobs });
    const connection = await welcomed(pool);
    connection.send({ type: "run", ticket: ticket(1) });
    await eventually("it is started", () => jobs.started.length === 1);
    connection.send({ type: "run", ticket: ticket(2) });
    await eventually("the other is prepared", () => prepares === 2);
    await worker.runner.stopNow("at once");
    expect([jobs.started.length, jobs.started[0]?.told]).toEqual([1, ["kill"]]);
    expect((await worker.runner.stopped).because).toBe("at once");
  });
});

it("a worker that is stopped at once is not kept by a control plane that is away", async ({ expect }) => {
  await using pool = await startScriptedPool();
  const jobs = fakeJobs();
  const worker = startRunner(pool, { infrastructure: jobs });
  const connection = await welcomed(pool);
  connection.send({ type: "run", ticket: ticket(1) });
  await eventually("it is started", () => jobs.started.length === 1);
  await pool.crash();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    let isOver = false;
    void worker.runner.stopNow("at once").then(() => {
      isOver = true;
    });
    // Three seconds to tell of the run, and as many to tell of its own end.
    for (let spentMs = 0; spentMs < 7_000; spentMs += 100) {
      await vi.advanceTimersByTimeAsync(100);
      for (let i = 0; i < 5; i++) await new Promise((done) => setImmediate(done));
    }
    expect(isOver).toBe(true);
  } finally {
    vi.useRealTimers();
  }
});

describe("a run of a worker", () => {
  it("is asked to end with the grace that the worker gives, and not by the word of an older claim", async ({
    expect,
  }) => {
    await using pool = await startScriptedPool();
    const jobs = fakeJobs();
    await using _worker = startRunner(pool, { infrastructure: jobs, killGraceMs: 1_234 });
    const connection = await welcomed(pool);
    connection.send({ type: "run", ticket: ticket(1, 5) });
    await eventually("it is started", () => jobs.started.length === 1);
    connection.send({ type: "kill", flow_run_id: idOf(1), generation: 4 });
    connection.send({ type: "kill", flow_run_id: idOf(1), generation: 5 });
    await eventually("it is told", () => jobs.started[0]?.told.length === 1);
    expect(jobs.started[0]?.told).toEqual(["terminate 1234"]);
  });

  it("is started under a newer claim when the older one has gone, and not under an older one", async ({ expect }) => {
    await using pool = await startScriptedPool();
    const jobs = fakeJobs();
    await using worker = startRunner(pool, { infrastructure: jobs });
    const connection = await welcomed(pool);
    connection.send({ type: "run", ticket: ticket(1, 3) });
    await eventually("it is started", () => jobs.started.length === 1);
    connection.send({ type: "run", ticket: ticket(1, 2) });
    connection.send({ type: "run", ticket: ticket(1, 4) });
    await eventually("the newer one is", () => jobs.started.length === 2);
    expect(jobs.started.map(({ assignment }) => assignment.generation)).toEqual([3, 4]);
    expect(jobs.started[0]?.told).toEqual(["kill"]);
    expect(worker.count("run-ended")).toBe(1);
  });
});

describe("a worker on which run after run cannot be started", () => {
  it("takes nothing for a while, then says hello anew", async ({ expect }) => {
    await using pool = await startScriptedPool();
    const jobs = fakeJobs({ ends: KILLED });
    await using worker = startRunner(pool, { infrastructure: jobs, pauseMs: 30 });
    const connection = await welcomed(pool);
    pool.takesBack = true;
    for (const n of [1, 2]) connection.send({ type: "run", ticket: ticket(n) });
    await eventually("they have come back", () => worker.count("run-ended") === 2);
    expect(worker.runner.state.kind).toBe("online");
    connection.send({ type: "run", ticket: ticket(3) });
    await eventually("it pauses", () => worker.states().includes("paused"));
    await eventually(
      "it is online again",
      () => pool.connections.length === 2 && worker.runner.state.kind === "online",
    );
    expect(connection.frames().at(-1)?.type).toBe("drain");
  });

  it("goes on when one in between was started", async ({ expect }) => {
    await using pool = await startScriptedPool();
    const jobs = fakeJobs();
    await using worker = startRunner(pool, { infrastructure: jobs, pauseMs: 30 });
    const connection = await welcomed(pool);
    pool.takesBack = true;
    for (const [n, end] of [KILLED, KILLED, REPORTED, KILLED, KILLED].entries()) {
      connection.send({ type: "run", ticket: ticket(n) });
      await eventually("it is started", () => jobs.started.length === n + 1);
      jobs.started[n]?.end(end);
      await eventually("it has ended", () => worker.count("run-ended") === n + 1);
    }
    expect(worker.states()).not.toContain("paused");
  });
});

describe("the connection of a worker", () => {
  it("is made again after an error that passes", async ({ expect }) => {
    await using pool = await startScriptedPool();
    await using worker = startRunner(pool);
    const first = await welcomed(pool);
    first.send({ type: "error", code: "not_ready", message: "The server moves.", fix: "Wait." });
    first.socket.close(4503, "not_ready");
    await welcomed(pool, 1);
    await eventually("online again", () => worker.runner.state.kind === "online");
    expect(worker.states()).toEqual(["connecting", "online", "connecting", "online"]);
  });

  it("goes by requests when sockets were cut again and again, and each cut is counted anew", async ({ expect }) => {
    await using pool = await startScriptedPool();
    const attempts: number[] = [];
    await using worker = startRunner(pool, {
      onEvent: (event) => {
        if (event.kind === "state" && event.state.kind === "connecting") attempts.push(event.state.attempt);
      },
    });
    for (let cut = 0; cut < 4; cut++) {
      const connection = await welcomed(pool, cut);
      await eventually("online", () => worker.runner.state.kind === "online");
      connection.socket.terminate();
      await eventually("that it is cut is known", () => attempts.length === cut + 2);
    }
    await eventually("online by requests", () => worker.runner.state.kind === "online");
    expect(worker.runner.state).toMatchObject({ via: "requests" });
    expect(attempts).toEqual([0, 1, 1, 1, 1]);
    expect(pool.connections).toHaveLength(4);
  });

  it("is made when the control plane answers again", async ({ expect }) => {
    await using pool = await startScriptedPool();
    pool.isBusy = true;
    await using worker = startRunner(pool);
    await eventually("a failed attempt", () => worker.states().length > 1);
    pool.isBusy = false;
    await eventually("online", () => worker.runner.state.kind === "online");
    expect(new Set(worker.states())).toEqual(new Set(["connecting", "online"]));
  });

  it("brings the pool's template, and each change of it", async ({ expect }) => {
    const template = (image: string) => ({ job_configuration: { image, of: "{{ size }}" } });
    await using pool = await startScriptedPool();
    pool.document = { base_job_template: template("first") };
    const jobs = fakeJobs({ ends: REPORTED });
    await using _worker = startRunner(pool, { infrastructure: jobs });
    const connection = await welcomed(pool);
    connection.send({ type: "run", ticket: { ...ticket(1), job_variables: { size: 3 } } });
    await eventually("it is prepared", () => jobs.configurations.length === 1);
    connection.send({ type: "template", base_job_template: template("second") });
    connection.send({ type: "run", ticket: ticket(2) });
    await eventually("the other is prepared", () => jobs.configurations.length === 2);
    expect(jobs.configurations).toEqual([{ image: "first", of: 3 }, { image: "second" }]);
  });
});

describe("the pool of a worker", () => {
  it("is made with the template of its type where that is wanted", async ({ expect }) => {
    await using pool = await startScriptedPool();
    pool.exists = false;
    await using _worker = startRunner(pool, { createPoolIfNotFound: true });
    await welcomed(pool);
    const made = pool.requests.find((asked) => asked.startsWith("POST /api/work_pools/"));
    expect(JSON.parse(made?.slice("POST /api/work_pools/ ".length) ?? "")).toMatchObject({
      name: "local",
      type: "process",
      base_job_template: TEMPLATE,
    });
  });

  it.for<[what: string, own: object, changes: number, patched: boolean]>([
    ["gets that template where it has none", {}, 200, true],
    ["is used as it is where the worker's key may not change it", {}, 403, true],
    ["keeps a template of its own", { variables: {} }, 200, false],
  ])("%s", async ([, own, changes, patched], { expect }) => {
    await using pool = await startScriptedPool();
    pool.document = { base_job_template: own };
    pool.changes = changes;
    await using worker = startRunner(pool);
    await eventually("online", () => worker.runner.state.kind === "online");
    expect(pool.requests.some((asked) => asked.startsWith("PATCH /api/work_pools/local"))).toBe(patched);
  });

  it("of another type is refused", async ({ expect }) => {
    await using pool = await startScriptedPool();
    pool.document = { type: "docker" };
    await using worker = startRunner(pool);
    expect((await worker.runner.stopped).error).toMatchObject({
      code: "conflict",
      fix: expect.stringContaining("--type process"),
    });
  });
});
