/** A deployed flow that dies is continued by another process: what had completed is restored. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { writeFlowControl } from "../../sdk/protocol/flow-control.ts";
import { retryFlowRun } from "../../sdk/protocol/flow-run-retry.ts";
import type { FlowRunId } from "../../sdk/protocol/ids.ts";
import { filterTaskRuns } from "../../sdk/protocol/task-runs.ts";
import { eventually } from "../support/eventually.ts";
import { type StartedWorker, startWorker } from "../support/runner.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { type ControlPlane, controlPlane, traceFile } from "./control-plane.ts";

let server: TestServer;
let worker: StartedWorker;
let plane: ControlPlane;
const results = mkdtempSync(join(tmpdir(), "sluice-results-"));

beforeAll(async () => {
  server = await startTestServer();
  plane = controlPlane(server.apiUrl);
  await plane.pool("pool");
  worker = await startWorker({ apiUrl: server.apiUrl, pool: "pool", env: { SLUICE_RESULTS: results } });
});
afterAll(async () => {
  await worker?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  rmSync(results, { recursive: true });
});

describe("a deployed flow", () => {
  it("goes on after its last finished task, and from a task that somebody names", async ({ expect }) => {
    using trace = traceFile();
    const deployment = await plane.deploy("test/e2e/flows/continues.ts:continues", "pool");
    const { id } = await plane.trigger(deployment, { trace: trace.path });
    expect((await plane.ends(id)).state_name).toBe("Crashed");
    const ran = (): string[] => trace.read().map(({ what }) => what);
    expect(ran()).toEqual(["first", "second"]);

    await plane.client.call(retryFlowRun, { params: { id }, body: {} });
    await plane.reaches(id, "COMPLETED");
    expect(ran()).toEqual(["first", "second", "second", "size-2"]);
    const lines = (await plane.logs(id)).map(({ message }) => message);
    expect(lines).toContain('Task run "first-0" was restored: it had completed in an earlier attempt.');

    const [named] = await eventually("the task runs are listed", async () => {
      const body = { flow_runs: { id: { any_: [id] } } };
      const all = await plane.client.call(filterTaskRuns, { body }, { idempotent: true });
      const firsts = all.filter(({ name, state_type }) => name === "first-0" && state_type === "COMPLETED");
      return firsts.length > 0 ? firsts : null;
    });
    if (!named) throw new Error("The task run is not there.");
    await plane.client.call(retryFlowRun, { params: { id }, body: { from_task_run_id: named.id } });
    await eventually("it has ended again", () => ran().length === 7, { withinMs: 20_000 });
    expect(ran().slice(4)).toEqual(["first", "second", "size-2"]);
    await plane.reaches(id, "COMPLETED");
  });

  it("goes on in the child run that its process was killed in, and restores the one that had completed", async ({
    expect,
  }) => {
    using trace = traceFile();
    const deployment = await plane.deploy("test/e2e/flows/continues.ts:family", "pool");
    const { id } = await plane.trigger(deployment, { trace: trace.path });
    expect((await plane.ends(id)).state_name).toBe("Crashed");
    await plane.client.call(retryFlowRun, { params: { id }, body: {} });
    await plane.reaches(id, "COMPLETED");

    const left = trace.read();
    expect(left.map(({ what }) => what)).toEqual(["first", "first", "second", "second", "sum-5"]);
    const [done, , killed, continued] = left.map(({ flowRunId }) => flowRunId as FlowRunId);
    if (!done || !killed) throw new Error("No child ran.");
    expect(continued).toBe(killed);
    expect(await plane.states(done)).toEqual(["Pending", "Running", "Completed"]);
    expect(await plane.states(killed)).toEqual(["Pending", "Running", "Crashed", "Running", "Completed"]);
    const tasks = await eventually("the children's task runs are listed", async () => {
      const body = { flow_runs: { id: { any_: [id] } } };
      const all = await plane.client.call(filterTaskRuns, { body }, { idempotent: true });
      return all.every(({ state_type }) => state_type === "COMPLETED") ? all : null;
    });
    expect(tasks.map(({ name, run_count }) => [name, run_count]).sort()).toEqual([
      ["continued-child-0", 1],
      ["continued-child-1", 2],
    ]);
  });

  it("goes on by itself where its deployment has lost runs offered again", async ({ expect }) => {
    using trace = traceFile();
    const deployment = await plane.deploy("test/e2e/flows/continues.ts:continues", "pool");
    await plane.client.call(writeFlowControl, { params: { id: deployment }, body: { on_lost: "retry" } });
    const { id } = await plane.trigger(deployment, { trace: trace.path });
    await plane.reaches(id, "COMPLETED");
    expect(trace.read().map(({ what }) => what)).toEqual(["first", "second", "second", "size-2"]);
    expect(await plane.states(id)).toEqual(expect.arrayContaining(["Running", "Scheduled", "Completed"]));
    expect(await plane.states(id)).not.toContain("Crashed");
  });
});
