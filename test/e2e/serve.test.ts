/** A process that serves its own deployments, over a real server. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, it } from "vitest";
import { configure } from "../../sdk/flow/configuration.ts";
import { flow, SluiceError } from "../../sdk/index.ts";
import { readDeploymentByName } from "../../sdk/protocol/deployments.ts";
import { type FlowRun, filterFlowRuns, readFlowRun, setFlowRunState } from "../../sdk/protocol/flow-runs.ts";
import { filterTaskRuns } from "../../sdk/protocol/task-runs.ts";
import { eventually } from "../support/eventually.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { cleanEnvironment, sluice } from "../support/sluice.ts";
import { type ControlPlane, controlPlane } from "./control-plane.ts";

const PROGRAM = fileURLToPath(new URL("programs/serves.ts", import.meta.url));
const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
let server: TestServer;
let plane: ControlPlane;
let child: ChildProcess;
let written = "";
let exited: Promise<number | null>;

beforeAll(async () => {
  server = await startTestServer();
  plane = controlPlane(server.apiUrl);
  child = spawn(process.execPath, [PROGRAM], {
    env: cleanEnvironment({ SLUICE_API_URL: server.apiUrl }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  exited = new Promise((resolve) => child.once("exit", (code) => resolve(code)));
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      written += String(chunk);
    });
  }
  await eventually("it serves", () => written.includes("ready\n"), { withinMs: 30_000 });
});
afterAll(async () => {
  child?.kill("SIGKILL");
  await exited;
  await server?.[Symbol.asyncDispose]();
});

const deployment = (flowName: string, name: string) =>
  plane.client.call(readDeploymentByName, { params: { flow: flowName, deployment: name } });

async function trigger(flowName: string, parameters: Record<string, unknown> = {}): Promise<FlowRun> {
  return plane.trigger((await deployment(flowName, "now")).id, parameters);
}

describe("a served deployment", () => {
  it("executes a run as soon as it is made", async ({ expect }) => {
    const startedAt = Date.now();
    const run = await plane.ends((await trigger("doubles", { n: 4 })).id);
    expect(run.state_name).toBe("Completed");
    expect(run.tags).toEqual(["served"]);
    expect(run.name).toBe("double of 4");
    // It is told of runs; asking every ten seconds would take longer.
    expect(Date.now() - startedAt).toBeLessThan(5_000);
    expect(await plane.states(run.id)).toEqual(["Scheduled", "Pending", "Running", "Completed"]);
  });

  it("refuses parameters that do not fit the flow's schema", async ({ expect }) => {
    await expect(trigger("doubles", { n: "four" })).rejects.toThrow(SluiceError);
  });

  it("executes what its schedule makes, on time", async ({ expect }) => {
    const { id } = await deployment("doubles", "often");
    const runs = await eventually(
      "two scheduled runs ended",
      async () => {
        const body = {
          deployments: { id: { any_: [id] } },
          flow_runs: { state: { type: { any_: ["COMPLETED" as const] } } },
        };
        const found = await plane.client.call(filterFlowRuns, { body }, { idempotent: true });
        return found.length >= 2 ? found : null;
      },
      { withinMs: 30_000 },
    );
    for (const run of runs)
      expect(Date.parse(run.start_time ?? "") - Date.parse(run.expected_start_time ?? "")).toBeLessThan(3_000);
  });

  it("runs a deployment from a flow, as its child, with the tags around the call", async ({ expect }) => {
    const run = await plane.ends((await trigger("parent")).id);
    expect(run.state?.message ?? null).toBeNull();
    expect(run.state_name).toBe("Completed");
    const tasks = await eventually("the child's task run is listed", async () => {
      const body = { flow_runs: { id: { any_: [run.id] } } };
      const found = await plane.client.call(filterTaskRuns, { body }, { idempotent: true });
      return found[0]?.state_type === "COMPLETED" ? found : null;
    });
    expect(tasks.map(({ name }) => name)).toEqual(["doubles/now-0"]);
    const id = tasks[0]?.state?.state_details.child_flow_run_id as FlowRun["id"];
    expect((await plane.client.call(readFlowRun, { params: { id } })).tags.sort()).toEqual(["around", "own", "served"]);
  });

  it("stops a run that is cancelled", async ({ expect }) => {
    const { id } = await trigger("slow");
    await plane.reaches(id, "RUNNING");
    await plane.client.call(setFlowRunState, { params: { id }, body: { state: { type: "CANCELLING" } } });
    expect((await plane.ends(id)).state_name).toBe("Cancelled");
  });

  it("waits for its runs and pauses its schedules when it ends by a signal", async ({ expect }) => {
    const { id } = await trigger("careful");
    await plane.reaches(id, "RUNNING");
    child.kill("SIGTERM");
    expect(await exited).toBe(0);
    expect(written).toContain("ended\n");
    expect((await plane.ends(id)).state_name).toBe("Completed");
    expect((await deployment("doubles", "often")).paused).toBe(true);
  });
});

describe("deploy()", () => {
  it("makes a deployment in a pool, with what its options say", async ({ expect }) => {
    await plane.pool("places");
    const restore = configure({ apiUrl: server.apiUrl });
    try {
      const id = await flow({ name: "etl", description: "All of it." }, async () => undefined).deploy({
        name: "daily",
        workPool: "places",
        entrypoint: "flows/etl.ts:etl",
        path: "/srv/code",
        cron: "0 6 * * *",
        timezone: "Europe/London",
        schedules: [{ interval: "1h", slug: "hourly", overlap: "SKIP" }],
        jobVariables: { env: { A: "1" } },
        concurrencyLimit: { limit: 2, collisionStrategy: "CANCEL_NEW" },
        flowControl: { throttle: { limit: 5, per: "1m" } },
      });
      const made = await deployment("etl", "daily");
      expect(made).toMatchObject({
        id,
        description: "All of it.",
        entrypoint: "flows/etl.ts:etl",
        path: "/srv/code",
        work_pool_name: "places",
        job_variables: { env: { A: "1" } },
        concurrency_options: { collision_strategy: "CANCEL_NEW" },
        global_concurrency_limit: { limit: 2 },
      });
      expect(made.schedules.map(({ schedule }) => schedule)).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ cron: "0 6 * * *", timezone: "Europe/London" }),
          expect.objectContaining({ interval: 3600 }),
        ]),
      );
    } finally {
      restore();
    }
  });

  it("is a command, too", async ({ expect }) => {
    const words = ["deploy", "test/e2e/flows/steps.ts:steps", "--name", "typed", "--pool", "places", "--path", PROJECT];
    const { exitCode, stderr } = await sluice([...words, "--cron", "0 7 * * *"], {
      env: { SLUICE_API_URL: server.apiUrl },
    });
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    const made = await deployment("steps", "typed");
    expect(made).toMatchObject({
      entrypoint: "test/e2e/flows/steps.ts:steps",
      path: PROJECT,
      work_pool_name: "places",
    });
    expect(made.schedules).toHaveLength(1);
  });
});
