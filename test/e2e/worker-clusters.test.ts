/** Workers of the types kubernetes and ecs with a real server. What they ask for is held against small APIs in test/sdk/runner. */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import type { JsonObject } from "../../sdk/protocol/flow-runs.ts";
import { readWorkPool } from "../../sdk/protocol/work-pools.ts";
import { eventually } from "../support/eventually.ts";
import { FakeCluster } from "../support/fake-cluster.ts";
import { FakeEcs } from "../support/fake-ecs.ts";
import { type StartedWorker, startWorker } from "../support/runner.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { CLI, cleanEnvironment } from "../support/sluice.ts";
import { type ControlPlane, controlPlane } from "./control-plane.ts";

let server: TestServer;
let plane: ControlPlane;

beforeAll(async () => {
  server = await startTestServer();
  plane = controlPlane(server.apiUrl);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

/** Answers the exit code of the program of a container, whose image has Sluice and the code. */
async function runsAsProcess(words: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  const [program = "", ...rest] = words;
  const command = program === "sluice" ? [process.execPath, CLI, ...rest] : [program, ...rest];
  const child = spawn(command[0] ?? "", command.slice(1), { env: cleanEnvironment(env), stdio: "inherit" });
  return await new Promise((resolve) => child.once("exit", (code) => resolve(code ?? 137)));
}

/** A job is not on this machine as far as its worker knows, so it is told an address. */
function variables(more: JsonObject): JsonObject {
  return { image: "app:1", env: { SLUICE_API_URL: server.apiUrl }, ...more };
}

describe("workers of the types kubernetes and ecs", () => {
  it("make their pools; a flow of a pod reports by itself, and the end of a task is told with why", async ({
    expect,
  }) => {
    await using cluster = await FakeCluster.start();
    await using ecs = await FakeEcs.start();
    const folder = await mkdtemp(join(tmpdir(), "sluice-kubeconfig-"));
    const kubeconfig = join(folder, "config");
    const { config, context_name } = cluster.config;
    await writeFile(kubeconfig, JSON.stringify({ ...config, "current-context": context_name }));
    cluster.onJob = (job) => {
      const [container] = job.spec.template.spec.containers;
      cluster.container(job, { running: {} });
      const env = Object.fromEntries((container?.env ?? []).map(({ name, value = "" }) => [name, value]));
      void runsAsProcess(container?.args ?? [], env).then((code) => cluster.exits(job, code));
    };
    ecs.onTask = (task) => {
      const reason = "OutOfMemoryError: Container killed due to memory usage";
      ecs.exits(task, null, {}, { exitCode: 137, reason });
    };
    const worker = async (type: string, env: Record<string, string>): Promise<StartedWorker> =>
      await startWorker({
        apiUrl: server.apiUrl,
        pool: type,
        env,
        words: ["--type", type, "--create-pool-if-not-found"],
      });
    const aws = { AWS_ACCESS_KEY_ID: "AKIDTESTS", AWS_SECRET_ACCESS_KEY: "a-secret-of-tests", AWS_REGION: "eu-west-1" };
    const workers = await Promise.all([
      worker("kubernetes", { KUBECONFIG: kubeconfig }),
      worker("ecs", { ...aws, AWS_ENDPOINT_URL_ECS: ecs.url }),
    ]);
    try {
      const pool = await plane.client.call(readWorkPool, { params: { name: "kubernetes" } });
      expect(pool.base_job_template["job_configuration"]).toHaveProperty("job_manifest");
      const ofPods = variables({ namespace: "flows" });
      const ofTasks = variables({ command: "work", network_configuration: { subnets: ["subnet-1"] } });
      const [inPod, inTask] = await Promise.all([
        plane.trigger(await plane.deploy("examples/hello.ts:hello", "kubernetes", { job_variables: ofPods })),
        plane.trigger(await plane.deploy(null, "ecs", { job_variables: ofTasks })),
      ]);
      const crashed = await plane.ends(inTask.id);
      expect(crashed.state_name, workers[1].text()).toBe("Crashed");
      expect(crashed.state?.message).toMatch(/ran out of memory; the job variable memory/);
      expect((await plane.ends(inPod.id)).state_name, workers[0].text()).toBe("Completed");
      const ended = await eventually("the worker knows it", () =>
        workers[0].lines.find(({ event }) => event === "run-ended"),
      );
      expect(ended.trouble).toBeNull();
      expect([...cluster.refused, ...ecs.refused]).toEqual([]);
    } finally {
      await Promise.all(workers.map((one) => one[Symbol.asyncDispose]()));
      await rm(folder, { recursive: true });
    }
  });
});
