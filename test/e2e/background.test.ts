/** Background tasks: asked for in one process, executed in another, over a real server. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, it } from "vitest";
import { configure } from "../../sdk/flow/configuration.ts";
import {
  artifacts,
  CancelledRunError,
  FailedRunError,
  flow,
  INPUTS,
  limitLocks,
  localFolder,
  tags,
  task,
} from "../../sdk/index.ts";
import { createConcurrencyLimitV2, readConcurrencyLimitV2 } from "../../sdk/protocol/concurrency-limits.ts";
import { filterLogs } from "../../sdk/protocol/logs.ts";
import { filterTaskRuns, readTaskRun, readTaskRunStates, type TaskRun } from "../../sdk/protocol/task-runs.ts";
import { eventually } from "../support/eventually.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { CLI, cleanEnvironment } from "../support/sluice.ts";
import { type ControlPlane, controlPlane } from "./control-plane.ts";
import { add, broken, flaky, leaves, scarce, slow } from "./programs/background-tasks.ts";

const FILE = fileURLToPath(new URL("programs/background-tasks.ts", import.meta.url));
const results = mkdtempSync(join(tmpdir(), "sluice-background-"));
let server: TestServer;
let plane: ControlPlane;
let worker: ChildProcess;
let exited: Promise<number | null>;
let written = "";
let restore: () => void;

beforeAll(async () => {
  server = await startTestServer();
  plane = controlPlane(server.apiUrl);
  restore = configure({ apiUrl: server.apiUrl, echoLogs: false, results: { storage: localFolder(results) } });
  worker = spawn(process.execPath, [CLI, "task", "serve", FILE, "--limit", "4"], {
    env: cleanEnvironment({ SLUICE_API_URL: server.apiUrl, SLUICE_RESULTS: results }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  exited = new Promise((resolve) => worker.once("exit", (code) => resolve(code)));
  for (const stream of [worker.stdout, worker.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      written += String(chunk);
    });
  }
  await eventually("it serves", () => written.includes("Serving background-add"), { withinMs: 30_000 });
});
afterAll(async () => {
  restore?.();
  worker?.kill("SIGKILL");
  await exited;
  await server?.[Symbol.asyncDispose]();
  rmSync(results, { recursive: true, force: true });
});

const read = (id: TaskRun["id"]) => plane.client.call(readTaskRun, { params: { id } });

describe("a background task", () => {
  it("is executed by a task worker, with the arguments as they were given, and answers its result", async ({
    expect,
  }) => {
    const run = await add.delay(2, { n: 40n });
    expect(await run.result({ timeout: "20s" })).toEqual({ sum: 42n });
    const states = await plane.client.call(readTaskRunStates, { query: { task_run_id: run.taskRunId } });
    expect(states.map(({ name }) => name)).toEqual(["Scheduled", "Pending", "Running", "Completed"]);
    const lines = await eventually("its log is there", async () => {
      const body = { logs: { task_run_id: { any_: [run.taskRunId] } } };
      const found = await plane.client.call(filterLogs, { body }, { idempotent: true });
      return found.length > 0 ? found : null;
    });
    expect(lines.map(({ message }) => message)).toContain(`adding in ${worker.pid}`);
  });

  it("is retried, and fails with what it threw", async ({ expect }) => {
    const [second, failed] = [await flaky.delay("x"), await broken.delay()];
    expect(await second.result({ timeout: "20s" })).toBe(2);
    await expect(failed.result({ timeout: "20s" })).rejects.toThrow(new FailedRunError("RangeError: out of range"));
    expect(await read(second.taskRunId)).toMatchObject({ run_count: 2, state_type: "COMPLETED" });
  });

  it("has the tags of the place where it was asked for, and so has what it calls", async ({ expect }) => {
    const run = await tags(["nightly", "own"], () => leaves.delay("of-tags"));
    await run.result({ timeout: "20s" });
    expect((await read(run.taskRunId)).tags).toEqual(["own", "nightly"]);
    const inner = await eventually("the task that it called is there", async () => {
      const body = { task_runs: { tags: { all_: ["nightly"] } } };
      const found = await plane.client.call(filterTaskRuns, { body }, { idempotent: true });
      return found.find(({ task_key }) => task_key.startsWith("background-inner")) ?? null;
    });
    expect(inner.tags).toEqual(["nightly"]);
  });

  it("leaves artifacts, also for the flow run that asked for it; the last of a key is read back", async ({
    expect,
  }) => {
    const alone = await leaves.delay("left");
    await alone.result({ timeout: "20s" });
    expect(await artifacts.get("left")).toMatchObject({
      type: "progress",
      data: 100,
      task_run_id: alone.taskRunId,
      flow_run_id: null,
    });
    const made = flow({ name: "asks-for-one" }, async (_: object, { flowRunId }) => {
      const run = await leaves.delay("left");
      await run.result({ timeout: "20s" });
      expect(await artifacts.get("left")).toMatchObject({ task_run_id: run.taskRunId, flow_run_id: flowRunId });
    });
    await made({});
    expect(await artifacts.get("never-left")).toBe(null);
  });

  it("that is called here and outside of flows leaves an artifact of no run", async ({ expect }) => {
    await leaves("left-here");
    expect(await artifacts.get("left-here")).toMatchObject({ data: 100, task_run_id: null, flow_run_id: null });
    await expect(artifacts.link({ link: "https://example.com" })).rejects.toThrow("was called outside of a run");
  });

  it("that runs is told to stop when it is cancelled", async ({ expect }) => {
    const run = await slow.delay("x");
    await eventually("it runs", async () => (await read(run.taskRunId)).state_type === "RUNNING", { withinMs: 20_000 });
    await run.cancel();
    await expect(run.result()).rejects.toThrow(CancelledRunError);
    await eventually("its worker is free of it", () => written.includes("Finished in state Cancelled"));
  });

  it("of a flow is found again by another attempt, and its result is another task's argument", async ({ expect }) => {
    const seen: string[] = [];
    const made = flow({ name: "asks", retries: 1 }, async (_: object, { runCount }) => {
      const run = await add.delay(1, { n: 1n });
      seen.push(run.taskRunId);
      if (runCount === 1) throw new Error("once more");
      const next = await add.delay(3, run.result().then(({ sum }) => ({ n: sum })) as never);
      return [await run.result(), await next.wait()];
    });
    await made({}).catch(() => undefined);
    expect(seen).toHaveLength(2);
    expect(seen[1]).toBe(seen[0]);
    expect((await read(seen[0] as TaskRun["id"])).flow_run_id).not.toBe(null);
  });
});

describe("a task with tags", () => {
  it("runs while it has a slot of the limits that its tags have", async ({ expect }) => {
    await plane.client.call(createConcurrencyLimitV2, { body: { name: "tag:scarce", limit: 1 } });
    let inside = 0;
    let most = 0;
    const tagged = task({ name: "tagged", tags: ["scarce", "plain"] }, async () => {
      most = Math.max(most, ++inside);
      await new Promise((done) => setTimeout(done, 30));
      inside--;
    });
    await flow({ name: "with-tags" }, async () => tagged.map([1, 2, 3] as never))();
    expect(most).toBe(1);
  });

  it("runs in the background so, too, one after the other", async ({ expect }) => {
    await plane.client.call(createConcurrencyLimitV2, { body: { name: "tag:scarce-behind", limit: 1 } });
    const asked = await Promise.all([1, 2, 3].map((n) => scarce.delay(n)));
    const spans = await Promise.all(asked.map((run) => run.result({ timeout: "20s" })));
    spans.sort((a, b) => a.from - b.from);
    for (const [at, { from }] of spans.entries()) {
      if (at > 0) expect(from).toBeGreaterThanOrEqual(spans[at - 1]?.to ?? Number.POSITIVE_INFINITY);
    }
    const params = { id_or_name: "tag:scarce-behind" };
    await eventually("the slot is free", async () => {
      return (await plane.client.call(readConcurrencyLimitV2, { params })).active_slots === 0;
    });
  });
});

describe("locks by a limit of the control plane", () => {
  it("let one caller make a cached result at a time, and refuse a limit that is not there", async ({ expect }) => {
    await plane.client.call(createConcurrencyLimitV2, { body: { name: "cache", limit: 1 } });
    let made = 0;
    const cached = task(
      { name: "cached", cache: { policy: INPUTS, isolation: "serializable", locks: limitLocks("cache") } },
      async (n: number) => {
        made++;
        await new Promise((done) => setTimeout(done, 50));
        return n;
      },
    );
    expect(await Promise.all([cached(1), cached(1), cached(1)])).toEqual([1, 1, 1]);
    expect(made).toBe(1);
    await expect(limitLocks("none").acquire("key", new AbortController().signal)).rejects.toThrow("none");
  });
});

describe("a task worker", () => {
  it("that is told to end waits for what it has begun, and takes nothing more", async ({ expect }) => {
    const run = await add.delay(1, { n: 1n });
    await run.wait({ timeout: "20s" });
    worker.kill("SIGTERM");
    expect(await exited).toBe(0);
    const late = await add.delay(1, { n: 1n });
    expect((await read(late.taskRunId)).state_name).toBe("Scheduled");
  });
});
