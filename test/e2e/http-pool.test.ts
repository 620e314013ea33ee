/** Runs pushed by a real server to a real one: the example, as a person starts it. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, it, vi } from "vitest";
import { readDeploymentByName } from "../../sdk/protocol/deployments.ts";
import type { FlowRun } from "../../sdk/protocol/flow-runs.ts";
import { setFlowRunState } from "../../sdk/protocol/flow-runs.ts";
import { filterTaskRuns } from "../../sdk/protocol/task-runs.ts";
import { readWhy } from "../../sdk/protocol/why.ts";
import { eventually } from "../support/eventually.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { cleanEnvironment, sluice } from "../support/sluice.ts";
import { type ControlPlane, controlPlane } from "./control-plane.ts";

const EXAMPLE = fileURLToPath(new URL("../../examples/http-target.ts", import.meta.url));
const ROOT_KEY = "the root key of a test";
let server: TestServer;
let plane: ControlPlane;
let env: Record<string, string>;
let secret: string;
let target: ChildProcess | null = null;
let port = 0;

/** Starts the example; on the port of the one before, if there was one. */
async function startTarget(more: Record<string, string> = {}): Promise<void> {
  const child = spawn(process.execPath, [EXAMPLE], {
    env: cleanEnvironment({
      PORT: String(port),
      SLUICE_PUSH_SECRET: secret,
      SLUICE_API_URL: server.apiUrl,
      SLUICE_RESULTS: "",
      ...more,
    }),
    stdio: ["ignore", "pipe", "inherit"],
  });
  target = child;
  let written = "";
  child.stdout.on("data", (chunk: Buffer) => {
    written += String(chunk);
  });
  port = await eventually("the target listens", () => Number(/:(\d+)\n/.exec(written)?.[1]) || null);
}

async function stopTarget(): Promise<void> {
  const child = target;
  target = null;
  if (child === null || child.exitCode !== null) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await exited;
}

beforeAll(async () => {
  server = await startTestServer({ env: { SLUICE_ROOT_KEY: ROOT_KEY } });
  env = { SLUICE_API_URL: server.apiUrl, SLUICE_API_KEY: ROOT_KEY };
  plane = controlPlane(server.apiUrl, ROOT_KEY);
  secret = `whsec_${btoa("the secret of an e2e test")}`;
  await startTarget();
  const words = ["work-pool", "create", "edge", "--type", "http", "--url", `http://127.0.0.1:${port}`];
  const made = await sluice([...words, "--secret", secret], { env });
  if (made.exitCode !== 0) throw new Error(made.stderr);
  const deployed = await sluice(["deploy", `${EXAMPLE}:thumbnails`, "--name", "edge", "--pool", "edge"], { env });
  if (deployed.exitCode !== 0) throw new Error(deployed.stderr);
});
afterAll(async () => {
  await stopTarget();
  await server?.[Symbol.asyncDispose]();
});

async function trigger(parameters: Record<string, unknown> = {}): Promise<FlowRun> {
  const path = { flow: "thumbnails", deployment: "edge" };
  const { id } = await plane.client.call(readDeploymentByName, { params: path });
  return plane.trigger(id, parameters);
}

describe("a run of an http pool", () => {
  it("is pushed and executed with a key of its own, with no worker anywhere", async ({ expect }) => {
    const startedAt = Date.now();
    const run = await plane.ends((await trigger()).id);
    expect(run.state_name).toBe("Completed");
    expect(Date.now() - startedAt).toBeLessThan(10_000);
    expect(await plane.states(run.id)).toEqual(["Scheduled", "Pending", "Running", "Completed"]);
    expect((await plane.logs(run.id)).map(({ message }) => message)).toContain(
      "Shrunk picture 1, picture 2, picture 3.",
    );
  });

  it("stops within moments when it is cancelled", async ({ expect }) => {
    const { id } = await trigger({ count: 1, spanMs: 60_000 });
    await plane.reaches(id, "RUNNING");
    await plane.client.call(setFlowRunState, { params: { id }, body: { state: { type: "CANCELLING" } } });
    expect((await plane.ends(id)).state_type).toBe("CANCELLED");
  });

  it("waits while its target is away, says why, and goes on in requests of a bounded time", async ({ expect }) => {
    await stopTarget();
    const { id } = await trigger({ count: 4, spanMs: 500 });
    const why = await eventually("why names the target", async () => {
      const { reasons } = await plane.client.call(readWhy, { params: { id } });
      return reasons.find(({ kind }) => kind === "push_failing");
    });
    expect(why.message).toMatch(/could not be reached.* of 8/);
    await startTarget({ TARGET_BUDGET: "2s" });
    expect((await plane.ends(id, 30_000)).state_name).toBe("Completed");
    expect(await plane.states(id)).toContain("Continuing");
    const body = { flow_runs: { id: { any_: [id] } } };
    await vi.waitFor(async () => {
      const tasks = await plane.client.call(filterTaskRuns, { body });
      expect(tasks.map(({ state_name }) => state_name)).toEqual(Array(4).fill("Completed"));
    }, 20_000);
  });

  it("needs no worker, and whoever starts one is told so", async ({ expect }) => {
    const { exitCode, stderr } = await sluice(["worker", "start", "--pool", "edge", "--type", "http"], { env });
    expect(exitCode).toBe(2);
    expect(stderr).toContain("needs no worker");
    const url = await sluice(["work-pool", "create", "other", "--url", "http://a.example/"], { env });
    expect([url.exitCode, url.stderr]).toEqual([2, expect.stringContaining("--type http")]);
  });
});
