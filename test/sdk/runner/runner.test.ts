import { describe, it } from "vitest";
import { createClient } from "../../../sdk/client/index.ts";
import { Runner, type RunnerEvent, type RunnerOptions, type RunnerState } from "../../../sdk/runner/runner.ts";
import { eventually } from "../../support/eventually.ts";
import { RUN_ID, type ScriptedPool, startScriptedPool, ticket } from "./scripted-pool.ts";

function startRunner(pool: ScriptedPool, options: Partial<RunnerOptions> & { key?: string } = {}) {
  const states: RunnerState[] = [];
  const events: RunnerEvent[] = [];
  const runner = new Runner({
    client: createClient({ url: pool.url, key: options.key ?? null }),
    poolName: "local",
    workerName: "w1",
    onEvent: (event) => {
      events.push(event);
      if (event.kind === "state") states.push(event.state);
    },
    ...options,
  });
  runner.start();
  return { runner, states, events, [Symbol.asyncDispose]: () => runner.stopNow("the test is over") };
}

describe("a worker", () => {
  it("says who it is and what it takes, and is online once it is welcomed", async ({ expect }) => {
    await using pool = await startScriptedPool();
    await using worker = startRunner(pool, { limit: 3, prefetchMs: 5_000, workQueueNames: ["urgent"] });
    await eventually("online", () => worker.runner.state.kind === "online");
    expect(pool.connections[0]?.request.url).toBe("/api/work_pools/local/channel");
    expect(pool.connections[0]?.frames()).toEqual([
      {
        type: "hello",
        protocol: 1,
        worker_name: "w1",
        worker_type: "process",
        limit: 3,
        work_queue_names: ["urgent"],
        prefetch_ms: 5_000,
        runs: [],
      },
    ]);
  });

  it("sends its key with the upgrade", async ({ expect }) => {
    await using pool = await startScriptedPool();
    await using _worker = startRunner(pool, { key: "sluice_key" });
    const connection = await eventually("a connection", () => pool.connections[0]);
    expect(connection.request.headers.authorization).toBe("Bearer sluice_key");
  });

  it("connects again after the server was away", async ({ expect }) => {
    await using pool = await startScriptedPool();
    await using worker = startRunner(pool);
    await eventually("online", () => worker.runner.state.kind === "online");
    await pool.crash();
    await eventually("a failed attempt", () =>
      worker.states.some((state) => state.kind === "connecting" && state.attempt >= 2),
    );
    await pool.listen();
    await eventually("online again", () => worker.runner.state.kind === "online");
    expect(pool.connections).toHaveLength(2);
  });

  it("shows that it lives, and connects again when nothing is heard", async ({ expect }) => {
    await using pool = await startScriptedPool(50);
    await using worker = startRunner(pool);
    await eventually(
      "three pings",
      () => (pool.connections[0]?.messages.filter((text) => text === "ping").length ?? 0) >= 3,
    );
    expect(pool.connections).toHaveLength(1);
    pool.answersPings = false;
    await eventually("another connection", () => pool.connections.length >= 2);
    pool.answersPings = true;
    await eventually("online", () => worker.runner.state.kind === "online");
  });

  it("connects again when the pool closes the connection for silence", async () => {
    await using pool = await startScriptedPool();
    await using _worker = startRunner(pool);
    const first = await eventually("a connection", () => pool.connections.find((one) => one.frames().length > 0));
    first.send({ type: "error", code: "conflict", message: "No heartbeat arrived for 30 seconds.", fix: "Send ping." });
    first.socket.close(4408, "conflict");
    await eventually("another connection", () => pool.connections.length === 2);
  });

  it("stops with the reason when another worker took its name", async ({ expect }) => {
    await using pool = await startScriptedPool();
    await using worker = startRunner(pool);
    const first = await eventually("a connection", () => pool.connections.find((one) => one.frames().length > 0));
    first.send({
      type: "error",
      code: "conflict",
      message: 'Another connection of worker "w1" took this one\'s place.',
      fix: "Give each a name.",
    });
    first.socket.close(4409, "conflict");
    const { error } = await worker.runner.stopped;
    expect(error).toMatchObject({ code: "conflict", fix: "Give each a name." });
    expect(pool.connections).toHaveLength(1);
  });

  it("for a pool that does not exist stops and says how to make it", async ({ expect }) => {
    await using pool = await startScriptedPool();
    pool.exists = false;
    await using worker = startRunner(pool);
    const { error } = await worker.runner.stopped;
    expect(error?.message).toContain('no work pool "local"');
    expect(error?.fix).toContain("sluice work-pool create local");
    expect(pool.connections).toHaveLength(0);
  });

  it("that is told to drain says so and stops when it has no runs", async ({ expect }) => {
    await using pool = await startScriptedPool();
    await using worker = startRunner(pool);
    await eventually("online", () => worker.runner.state.kind === "online");
    worker.runner.drain("the test said so");
    const state = await worker.runner.stopped;
    expect(state).toEqual({ kind: "stopped", because: "the test said so", error: null });
    expect(worker.states.map(({ kind }) => kind)).toEqual(["connecting", "online", "draining", "stopped"]);
    await eventually("drain was said", () => pool.connections[0]?.frames().some(({ type }) => type === "drain"));
  });

  it("that is told to drain before it was ever connected stops too", async ({ expect }) => {
    await using pool = await startScriptedPool();
    await pool.crash();
    await using worker = startRunner(pool);
    await eventually("a failed attempt", () =>
      worker.states.some((state) => state.kind === "connecting" && state.attempt > 0),
    );
    worker.runner.drain("nobody is there");
    expect((await worker.runner.stopped).error).toBeNull();
  });
});

describe("a run that is pushed", () => {
  it("is started once for each claim, however often it is pushed, and its end is told", async ({ expect }) => {
    await using pool = await startScriptedPool();
    await using worker = startRunner(pool);
    const connection = await eventually("a connection", () => pool.connections.find((one) => one.frames().length > 0));
    const count = (kind: RunnerEvent["kind"]): number => worker.events.filter((event) => event.kind === kind).length;
    const released = () => connection.frames().filter(({ type }) => type === "released");

    connection.send({ type: "run", ticket: ticket(1) });
    connection.send({ type: "run", ticket: ticket(1) });
    await eventually("it is started", () => count("run-started") > 0);
    connection.send({ type: "kill", flow_run_id: RUN_ID, generation: 1 });
    await eventually("its end is told", () => released().length === 1);
    expect(released()).toEqual([{ type: "released", flow_run_id: RUN_ID, generation: 1 }]);
    expect(worker.events.find((event) => event.kind === "run-ended")).toMatchObject({
      trouble: expect.stringContaining("SIGTERM"),
    });

    connection.send({ type: "run", ticket: ticket(1) });
    await eventually("the repeated push is answered", () => released().length === 2);
    expect(count("run-started")).toBe(1);

    connection.send({ type: "run", ticket: ticket(2) });
    await eventually("the next claim is started", () => count("run-started") === 2);
  });

  it("under a newer claim ends the process of the older one first", async ({ expect }) => {
    await using pool = await startScriptedPool();
    await using worker = startRunner(pool);
    const connection = await eventually("a connection", () => pool.connections.find((one) => one.frames().length > 0));
    connection.send({ type: "run", ticket: ticket(1) });
    await eventually("it is started", () => worker.events.some(({ kind }) => kind === "run-started"));
    connection.send({ type: "run", ticket: ticket(2) });
    await eventually(
      "the next claim is started",
      () => worker.events.filter(({ kind }) => kind === "run-started").length === 2,
    );
    const kinds = worker.events
      .map(({ kind }) => kind)
      .filter((kind) => kind === "run-started" || kind === "run-ended");
    expect(kinds).toEqual(["run-started", "run-ended", "run-started"]);
  });

  it("is listed in hello as long as its process lives", async ({ expect }) => {
    await using pool = await startScriptedPool();
    await using worker = startRunner(pool);
    const first = await eventually("a connection", () => pool.connections.find((one) => one.frames().length > 0));
    first.send({ type: "run", ticket: ticket(7) });
    await eventually("it is started", () => worker.events.some(({ kind }) => kind === "run-started"));
    first.socket.terminate();
    const second = await eventually("another hello", () => pool.connections[1]?.frames()[0]);
    expect(second).toMatchObject({ type: "hello", runs: [{ flow_run_id: RUN_ID, generation: 7 }] });
  });

  it("is killed after the grace period when its process does not end by itself", async ({ expect }) => {
    await using pool = await startScriptedPool();
    await using worker = startRunner(pool, { killGraceMs: 300 });
    const connection = await eventually("a connection", () => pool.connections.find((one) => one.frames().length > 0));
    const env = {
      NODE_OPTIONS: "--import=data:text/javascript,process.on('SIGTERM',()=>console.log('no'))",
    };
    connection.send({ type: "run", ticket: { ...ticket(1), job_variables: { env } } });
    // A process that still loads its modules does not get to its signals: one that has connected waits.
    await eventually("its process waits", () => pool.runConnections > 0);
    connection.send({ type: "kill", flow_run_id: RUN_ID, generation: 1 });
    const ended = await eventually("it ends", () => worker.events.find((event) => event.kind === "run-ended"));
    expect(ended).toMatchObject({ trouble: expect.stringContaining("SIGKILL") });
    expect(worker.events.some((event) => event.kind === "output" && event.line === "no")).toBe(true);
  });
});
