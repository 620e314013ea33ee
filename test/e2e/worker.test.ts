/** A real server, a real worker process and real run processes, some of which are killed. */
import { afterAll, beforeAll, describe, it } from "vitest";
import { readFlowRunStates, setFlowRunState } from "../../sdk/protocol/flow-runs.ts";
import type { FlowRunId } from "../../sdk/protocol/ids.ts";
import { eventually } from "../support/eventually.ts";
import { isAlive, type StartedWorker, spawnWorker, startWorker } from "../support/runner.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { type ControlPlane, controlPlane, traceFile } from "./control-plane.ts";

const FLOWS = "test/e2e/flows/steps.ts";
let server: TestServer;
let plane: ControlPlane;
let pools = 0;

beforeAll(async () => {
  server = await startTestServer({ env: { SLUICE_HEARTBEAT_MS: "1000" } });
  plane = controlPlane(server.apiUrl);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

/** A pool of its own for each test, so that no worker takes another test's runs. */
async function newPool(): Promise<string> {
  const pool = `pool-${++pools}`;
  await plane.pool(pool);
  return pool;
}

describe("a worker", () => {
  it("runs what is triggered, once, and tells states, tasks and logs", async ({ expect }) => {
    using trace = traceFile();
    const pool = await newPool();
    await using _worker = await startWorker({ apiUrl: server.apiUrl, pool });
    const deployment = await plane.deploy(`${FLOWS}:steps`, pool);
    const { id } = await plane.trigger(deployment, { trace: trace.path });
    const run = await plane.ends(id);
    expect(run).toMatchObject({ state_name: "Completed", run_count: 1 });
    expect(await plane.states(id)).toEqual(["Scheduled", "Pending", "Running", "Completed"]);
    expect(trace.read().map(({ what }) => what)).toEqual(["start", "end"]);
  });

  it("takes a run that was triggered before it was started", async ({ expect }) => {
    using trace = traceFile();
    const pool = await newPool();
    const { id } = await plane.trigger(await plane.deploy(`${FLOWS}:steps`, pool), { trace: trace.path });
    await using _worker = await startWorker({ apiUrl: server.apiUrl, pool });
    expect((await plane.ends(id)).state_name).toBe("Completed");
  });

  it("starts the process of a run before it is due, with --prefetch, and the flow on time", async ({ expect }) => {
    using trace = traceFile();
    const pool = await newPool();
    await using worker = await startWorker({ apiUrl: server.apiUrl, pool, words: ["--prefetch", "60"] });
    const deployment = await plane.deploy(`${FLOWS}:steps`, pool);
    const dueAt = Date.now() + 4_000;
    const { id } = await plane.trigger(deployment, { trace: trace.path }, dueAt);
    await worker.pidOf(id);
    expect(Date.now()).toBeLessThan(dueAt);
    const run = await plane.ends(id);
    expect(await plane.states(id)).toEqual(["Scheduled", "Pending", "Running", "Completed"]);
    expect(Date.parse(run.start_time ?? "")).toBeGreaterThanOrEqual(dueAt - 1_000);
  });

  it("gives its runs no more than its limit of processes at a time", async ({ expect }) => {
    using trace = traceFile();
    const pool = await newPool();
    await using _worker = await startWorker({ apiUrl: server.apiUrl, pool, limit: 2 });
    const deployment = await plane.deploy(`${FLOWS}:steps`, pool);
    const ids: FlowRunId[] = [];
    for (let count = 0; count < 5; count++) ids.push((await plane.trigger(deployment, { trace: trace.path })).id);
    for (const id of ids) expect((await plane.ends(id)).state_name).toBe("Completed");
    let running = 0;
    let most = 0;
    for (const { what } of trace.read()) {
      running += what === "start" ? 1 : -1;
      most = Math.max(most, running);
    }
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(2);
  });

  it("hands the job variable env to the process", async ({ expect }) => {
    using trace = traceFile();
    const pool = await newPool();
    await using worker = await startWorker({ apiUrl: server.apiUrl, pool });
    const deployment = await plane.deploy(`${FLOWS}:steps`, pool, {
      job_variables: { env: { NODE_OPTIONS: "--title=marked" } },
    });
    const { id } = await plane.trigger(deployment, { trace: trace.path, stepMs: 300 });
    const pid = await worker.pidOf(id);
    await eventually("the process has its variable", async () =>
      (await import("node:fs")).readFileSync(`/proc/${pid}/environ`, "utf8").includes("--title=marked"),
    );
    expect((await plane.ends(id)).state_name).toBe("Completed");
  });
});

describe("a run whose process is killed", () => {
  it("ends Crashed with the reason, within seconds", async ({ expect }) => {
    using trace = traceFile();
    const pool = await newPool();
    await using worker = await startWorker({ apiUrl: server.apiUrl, pool });
    const { id } = await plane.trigger(await plane.deploy(`${FLOWS}:steps`, pool), {
      trace: trace.path,
      stepMs: 60_000,
    });
    await plane.reaches(id, "RUNNING");
    await eventually("the flow has begun", () => trace.read().length === 1);
    process.kill(await worker.pidOf(id), "SIGKILL");
    const run = await plane.ends(id, 5_000);
    expect(run.state_name).toBe("Crashed");
    expect(run.state?.message).toMatch(/process is gone: it was killed \(SIGKILL\).*out of memory/);
    expect((await plane.logs(id)).at(-1)).toMatchObject({ level: 40, message: run.state?.message });
    // The worker goes on.
    const next = await plane.trigger(await plane.deploy(`${FLOWS}:steps`, pool), { trace: trace.path });
    expect((await plane.ends(next.id)).state_name).toBe("Completed");
  });

  it("takes the processes with it that it started", async ({ expect }) => {
    using trace = traceFile();
    const pool = await newPool();
    await using worker = await startWorker({ apiUrl: server.apiUrl, pool });
    const { id } = await plane.trigger(await plane.deploy(`${FLOWS}:withProcess`, pool), { trace: trace.path });
    const [begun] = await eventually("the flow has begun", () => (trace.read().length > 0 ? trace.read() : null));
    const grandchild = Number(begun?.more[0]);
    expect(isAlive(grandchild)).toBe(true);
    process.kill(await worker.pidOf(id), "SIGKILL");
    expect((await plane.ends(id, 5_000)).state_name).toBe("Crashed");
    await eventually("its process is gone", () => !isAlive(grandchild));
  });

  const ownEnds: readonly (readonly [string, RegExp])[] = [
    ["exits", /code 0 before the flow did.*process\.exit/],
    ["throwsAside", /nothing caught\. Its last error: RangeError: the cursor went past the end/],
  ];
  for (const [flow, sentence] of ownEnds) {
    it(`is Crashed too when the flow ends its process itself (${flow})`, async ({ expect }) => {
      using trace = traceFile();
      const pool = await newPool();
      await using _worker = await startWorker({ apiUrl: server.apiUrl, pool });
      const { id } = await plane.trigger(await plane.deploy(`${FLOWS}:${flow}`, pool), { trace: trace.path });
      const run = await plane.ends(id);
      expect(run.state_name).toBe("Crashed");
      expect(run.state?.message).toMatch(sentence);
      expect(trace.read()).toHaveLength(1);
    });
  }
});

describe("a run whose process cannot be started", () => {
  it("is offered three times, then Crashed with each reason, and the worker takes nothing for a while", async ({
    expect,
  }) => {
    const pool = await newPool();
    await using worker = await startWorker({ apiUrl: server.apiUrl, pool });
    const deployment = await plane.deploy(`${FLOWS}:steps`, pool, {
      job_variables: { env: { NODE_OPTIONS: "--no-such-option" } },
    });
    const { id } = await plane.trigger(deployment, {});
    const run = await plane.ends(id);
    expect(run.state_name).toBe("Crashed");
    expect(run.state?.message).toMatch(/^No worker started this run\. 1: .*code 9.* 2: .*code 9.* 3: .*code 9/);
    await eventually("the worker pauses", () => worker.lines.some(({ kind }) => kind === "paused"));
  });
});

describe("a worker that is killed", () => {
  for (const flow of ["steps", "busy"]) {
    it(`leaves no process behind, and its run is not executed twice (${flow})`, async ({ expect }) => {
      using trace = traceFile();
      const pool = await newPool();
      const { id } = await plane.trigger(await plane.deploy(`${FLOWS}:${flow}`, pool), {
        trace: trace.path,
        stepMs: 60_000,
      });
      let pid: number;
      {
        await using worker = await startWorker({ apiUrl: server.apiUrl, pool });
        await plane.reaches(id, "RUNNING");
        await eventually("the flow has begun", () => trace.read().length === 1);
        pid = await worker.pidOf(id);
        worker.signal("SIGKILL");
        await worker.gone;
      }
      await eventually("the process is gone", () => !isAlive(pid), { withinMs: 3_000 });
      const run = await plane.ends(id, 5_000);
      expect(run.state_name).toBe("Crashed");
      expect(run.state?.message).toMatch(/worker that started this run is gone/);
      // Another worker does other runs, and not this one.
      await using _second = await startWorker({ apiUrl: server.apiUrl, pool });
      const other = await plane.trigger(await plane.deploy(`${FLOWS}:steps`, pool), { trace: trace.path });
      expect((await plane.ends(other.id)).state_name).toBe("Completed");
      expect(trace.read().filter((line) => line.flowRunId === id)).toHaveLength(1);
      expect((await plane.read(id)).state_name).toBe("Crashed");
    });
  }
});

/** How many of the runs were in somebody's hand at once, from claim to end, by the times of their states. */
async function mostInHand(ids: readonly FlowRunId[]): Promise<number> {
  const steps: { readonly at: string; readonly by: number }[] = [];
  for (const id of ids) {
    let isHeld = false;
    for (const { type, timestamp } of await plane.client.call(readFlowRunStates, { query: { flow_run_id: id } })) {
      const holds = type === "PENDING" || type === "RUNNING";
      if (holds !== isHeld) steps.push({ at: timestamp, by: holds ? 1 : -1 });
      isHeld = holds;
    }
  }
  // Who ends gives the slot to whoever begins in the same millisecond.
  steps.sort((a, b) => Date.parse(a.at) - Date.parse(b.at) || a.by - b.by);
  let now = 0;
  let most = 0;
  for (const { by } of steps) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}

describe("runs of a deployment with a limit", () => {
  it("never exceed it, though a worker is killed that holds a slot, and all come to an end", async ({ expect }) => {
    using trace = traceFile();
    const pool = await newPool();
    const workers = [
      await startWorker({ apiUrl: server.apiUrl, pool }),
      await startWorker({ apiUrl: server.apiUrl, pool }),
    ];
    await using _workers = {
      [Symbol.asyncDispose]: async () => void (await Promise.all(workers.map((one) => one[Symbol.asyncDispose]()))),
    };
    const deployment = await plane.deploy(`${FLOWS}:steps`, pool, { concurrency_limit: 2 });
    const ids: FlowRunId[] = [];
    for (let made = 0; made < 5; made++) {
      ids.push((await plane.trigger(deployment, { trace: trace.path, stepMs: 200 })).id);
    }
    const [first] = await eventually("one has begun", () => (trace.read().length > 0 ? trace.read() : null));
    const startedBy = (worker: StartedWorker) =>
      worker.lines.filter(({ event }) => event === "run-started").map((line) => line.flow_run_id);
    const killed = workers.find((worker) => startedBy(worker).includes(first?.flowRunId));
    killed?.signal("SIGKILL");
    for (const id of ids) {
      const { state_name } = await plane.ends(id);
      // A second one that it had claimed may have begun by then, or be done by the other worker.
      const possible = id === first?.flowRunId ? ["Crashed"] : ["Completed"];
      if (killed && startedBy(killed).includes(id)) possible.push("Crashed");
      expect(possible).toContain(state_name);
    }
    expect(new Set(trace.read().map(({ flowRunId }) => flowRunId))).toEqual(new Set(ids));
    expect(await mostInHand(ids)).toBe(2);
    const cancels = await plane.deploy(`${FLOWS}:steps`, pool, {
      concurrency_limit: 1,
      concurrency_options: { collision_strategy: "CANCEL_NEW" },
    });
    const kept = await plane.trigger(cancels, { trace: trace.path, stepMs: 150 });
    await plane.reaches(kept.id, "PENDING").catch(() => plane.reaches(kept.id, "RUNNING"));
    const dropped = await plane.trigger(cancels, { trace: trace.path });
    expect((await plane.ends(dropped.id)).state?.message).toBe("Deployment concurrency limit reached.");
    expect((await plane.ends(kept.id)).state_name).toBe("Completed");
  });
});

describe("a run that is cancelled", () => {
  it("ends Cancelled, its process goes, and the worker's slot is free again", async ({ expect }) => {
    using trace = traceFile();
    const pool = await newPool();
    await using worker = await startWorker({ apiUrl: server.apiUrl, pool, limit: 1 });
    const deployment = await plane.deploy(`${FLOWS}:steps`, pool);
    const { id } = await plane.trigger(deployment, { trace: trace.path, stepMs: 60_000 });
    await eventually("the flow has begun", () => trace.read().length === 1);
    await plane.client.call(setFlowRunState, { params: { id }, body: { state: { type: "CANCELLING" } } });
    // The flow does not listen to its signal, so it is given the five seconds that user code has to clean up.
    expect((await plane.ends(id, 20_000)).state_name).toBe("Cancelled");
    const pid = await worker.pidOf(id);
    await eventually("the process is gone", () => !isAlive(pid));
    const next = await plane.trigger(deployment, { trace: trace.path });
    expect((await plane.ends(next.id)).state_name).toBe("Completed");
  });
});

describe("a worker that is asked to stop", () => {
  it("takes nothing new, waits for what it has, and ends with 0", async ({ expect }) => {
    using trace = traceFile();
    const pool = await newPool();
    await using worker = await startWorker({ apiUrl: server.apiUrl, pool });
    const deployment = await plane.deploy(`${FLOWS}:steps`, pool);
    const first = await plane.trigger(deployment, { trace: trace.path, stepMs: 1_000 });
    await eventually("the flow has begun", () => trace.read().length === 1);
    worker.signal("SIGTERM");
    await eventually("it drains", () => worker.lines.some(({ kind }) => kind === "draining"));
    const second = await plane.trigger(deployment, { trace: trace.path });
    expect(await worker.gone).toEqual({ code: 0, signal: null });
    expect((await plane.read(first.id)).state_name).toBe("Completed");
    expect((await plane.read(second.id)).state_name).toBe("Scheduled");
    expect(trace.read().map(({ what }) => what)).toEqual(["start", "end"]);
  });

  it("twice ends its runs as well, and says so", async ({ expect }) => {
    using trace = traceFile();
    const pool = await newPool();
    await using worker = await startWorker({ apiUrl: server.apiUrl, pool });
    const { id } = await plane.trigger(await plane.deploy(`${FLOWS}:steps`, pool), {
      trace: trace.path,
      stepMs: 60_000,
    });
    await eventually("the flow has begun", () => trace.read().length === 1);
    worker.signal("SIGTERM");
    await eventually("it drains", () => worker.lines.some(({ kind }) => kind === "draining"));
    worker.signal("SIGTERM");
    expect((await worker.gone).code).toBe(130);
    expect((await plane.ends(id, 5_000)).state_name).toBe("Crashed");
    expect(isAlive(await worker.pidOf(id))).toBe(false);
  });
});

describe("a run that cannot be started", () => {
  const causes: readonly (readonly [string, string | null, { path?: string }, RegExp])[] = [
    ["a missing file", "test/e2e/flows/stepz.ts:steps", {}, /no file .*stepz\.ts.*there are: .*steps\.ts/s],
    ["a missing export", `${FLOWS}:step`, {}, /no export "step".*flows it exports: .*steps/s],
    ["something else than a flow", `${FLOWS}:notAFlow`, {}, /is a plain function, not a flow/],
    [
      "a file that throws",
      "test/e2e/flows/throws-at-import.ts:flow",
      {},
      /could not be loaded: Error: the configuration is missing/,
    ],
    ["no export at all", FLOWS, {}, /does not name an export/],
    ["no entrypoint", null, {}, /no entrypoint/],
    ["a Python flow", "flows/etl.py:main", {}, /Python flow/],
    ["a folder that is not there", `${FLOWS}:steps`, { path: "/nowhere/at/all" }, /not a folder on this machine/],
  ];
  it("is Failed with a sentence that says what there is", { timeout: 120_000 }, async ({ expect }) => {
    const pool = await newPool();
    await using _worker = await startWorker({ apiUrl: server.apiUrl, pool, limit: 3 });
    const runs = await Promise.all(
      causes.map(async ([cause, entrypoint, more, sentence]) => {
        const { id } = await plane.trigger(await plane.deploy(entrypoint, pool, more));
        return { cause, sentence, id };
      }),
    );
    for (const { cause, sentence, id } of runs) {
      const run = await plane.ends(id, 60_000);
      expect(run.state_name, cause).toBe("Failed");
      expect(run.state?.message, cause).toMatch(sentence);
      expect(
        (await plane.logs(id)).some(({ level, message }) => level === 40 && sentence.test(message)),
        cause,
      ).toBe(true);
    }
  });
});

describe("the command line", () => {
  it("refuses a work pool that does not exist, and says how to make it", async ({ expect }) => {
    await using worker = spawnWorker({ apiUrl: server.apiUrl, pool: "no-such-pool" });
    expect((await worker.gone).code).toBe(5);
    expect(worker.text()).toMatch(/no work pool \\?"no-such-pool\\?"[\s\S]*sluice work-pool create no-such-pool/);
  });

  it("makes the pool where it is asked to", async ({ expect }) => {
    using trace = traceFile();
    const pool = `made-${++pools}`;
    await using _worker = await startWorker({ apiUrl: server.apiUrl, pool, words: ["--create-pool-if-not-found"] });
    const { id } = await plane.trigger(await plane.deploy(`${FLOWS}:steps`, pool), { trace: trace.path });
    expect((await plane.ends(id)).state_name).toBe("Completed");
  });
});
