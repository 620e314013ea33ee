/** What a worker makes of a pool's job template, of commands, pull steps and warm processes, and whose key a run has. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { saveBlock } from "../../sdk/client/index.ts";
import type { JsonObject } from "../../sdk/protocol/flow-runs.ts";
import type { FlowRunId } from "../../sdk/protocol/ids.ts";
import { createVariable } from "../../sdk/protocol/variables.ts";
import { readWorkPool, updateWorkPool } from "../../sdk/protocol/work-pools.ts";
import { eventually } from "../support/eventually.ts";
import { spawnWorker, startWorker } from "../support/runner.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { sluice } from "../support/sluice.ts";
import { type ControlPlane, controlPlane, traceFile } from "./control-plane.ts";

const FLOWS = "test/e2e/flows/steps.ts";
const ROOT_KEY = "root-key-of-the-test";
const KEYED = { SLUICE_API_KEY: ROOT_KEY };
let server: TestServer;
let plane: ControlPlane;
let pools = 0;

beforeAll(async () => {
  server = await startTestServer({ env: { SLUICE_HEARTBEAT_MS: "1000", SLUICE_ROOT_KEY: ROOT_KEY } });
  plane = controlPlane(server.apiUrl, ROOT_KEY);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

async function newPool(): Promise<string> {
  const pool = `pool-${++pools}`;
  await plane.pool(pool);
  return pool;
}

async function workerFor(pool: string, words: readonly string[] = []) {
  return await startWorker({ apiUrl: server.apiUrl, pool, env: KEYED, words });
}

async function messages(id: FlowRunId): Promise<string[]> {
  return (await plane.logs(id)).map(({ message }) => message);
}

describe("a command without an entrypoint", () => {
  it("is the work: its output is the run's log, its exit code the run's end", async ({ expect }) => {
    const pool = await newPool();
    await using _worker = await workerFor(pool);
    const good = await plane.deploy(null, pool, {
      job_variables: { command: `sh -c 'echo "$GREETING $SLUICE_PARAMETERS"'`, env: { GREETING: "hello" } },
    });
    const { id } = await plane.trigger(good, { a: 1 });
    expect((await plane.ends(id)).state_name).toBe("Completed");
    expect(await plane.states(id)).toEqual(["Scheduled", "Pending", "Running", "Completed"]);
    expect(await messages(id)).toContain('hello {"a":1}');
    const bad = await plane.deploy(null, pool, { job_variables: { command: "sh -c 'echo Error: no >&2; exit 3'" } });
    const failed = await plane.ends((await plane.trigger(bad)).id);
    expect(failed).toMatchObject({ state_name: "Failed" });
    expect(failed.state?.message).toBe("The command ended with code 3. Its last error: Error: no");
  });

  it("is ended when the run is cancelled", async ({ expect }) => {
    const pool = await newPool();
    await using _worker = await workerFor(pool);
    const { id } = await plane.trigger(await plane.deploy(null, pool, { job_variables: { command: "sleep 300" } }));
    await plane.reaches(id, "RUNNING");
    await sluice(["flow-run", "cancel", id], { env: { SLUICE_API_URL: server.apiUrl, ...KEYED } });
    expect((await plane.ends(id)).state_name).toBe("Cancelled");
  });

  it("that is not there is given back, then Crashed", async ({ expect }) => {
    const pool = await newPool();
    await using _worker = await workerFor(pool);
    const deployment = await plane.deploy(null, pool, { job_variables: { command: "no-such-program" } });
    const run = await plane.ends((await plane.trigger(deployment)).id);
    expect(run.state_name).toBe("Crashed");
    expect(run.state?.message).toContain("no-such-program");
  });
});

describe("a pool's job template", () => {
  it("that is empty becomes that of its type, and defaults of its variables hold", async ({ expect }) => {
    const pool = await newPool();
    await using _worker = await workerFor(pool);
    const { base_job_template: template } = await plane.client.call(readWorkPool, { params: { name: pool } });
    expect(Object.keys(template)).toEqual(["job_configuration", "variables"]);
  });

  it("is resolved in the worker: blocks, variables and its environment", async ({ expect }) => {
    const pool = await newPool();
    const client = plane.client;
    await saveBlock(client, { type: "secret", name: "job-password" }, { value: "hunter-2-secret" });
    await client.call(createVariable, { body: { name: "region", value: "eu-1" } });
    const worker = await startWorker({ apiUrl: server.apiUrl, pool, env: { ...KEYED, PLACE: "here" } });
    await using _worker = worker;
    await client.call(updateWorkPool, {
      params: { name: pool },
      body: {
        base_job_template: {
          job_configuration: {
            command: "{{ command }}",
            env: {
              PASSWORD: "{{ prefect.blocks.secret.job-password }}",
              WHERE: "{{ prefect.variables.region }}/{{ $PLACE }}",
              SIZE: "{{ size }}",
            },
          },
          variables: { type: "object", properties: { command: { type: "string" }, size: { default: 7 }, env: {} } },
        },
      },
    });
    const command = `sh -c 'echo "$WHERE $SIZE $MORE \${#PASSWORD}"'`;
    const deployment = await plane.deploy(null, pool, { job_variables: { command, env: { MORE: "more" } } });
    const { id } = await plane.trigger(deployment);
    expect((await plane.ends(id)).state_name).toBe("Completed");
    expect(await messages(id)).toContain(`eu-1/here 7 more ${"hunter-2-secret".length}`);
    expect(JSON.stringify(await plane.read(id))).not.toContain("hunter-2-secret");
    expect(worker.text()).not.toContain("hunter-2-secret");
  });

  it("with a block that there is not fails the run with its name", async ({ expect }) => {
    const pool = await newPool();
    await using _worker = await workerFor(pool);
    const env: JsonObject = { X: "{{ prefect.blocks.secret.nowhere }}" };
    const run = await plane.ends((await plane.trigger(await plane.deploy(null, pool, { job_variables: { env } }))).id);
    expect(run.state_name).toBe("Failed");
    expect(run.state?.message).toContain('no block "nowhere" of type "secret"');
  });
});

describe("a run's process", () => {
  it("has a token of its run, not the worker's key, which ends with the run", async ({ expect }) => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-token-"));
    try {
      const pool = await newPool();
      await using _worker = await workerFor(pool);
      const file = join(folder, "key");
      const command = `sh -c 'printf %s "$SLUICE_API_KEY" > ${file}; until [ -e ${file}.go ]; do sleep 0.05; done'`;
      const { id } = await plane.trigger(await plane.deploy(null, pool, { job_variables: { command } }));
      const token = await eventually("the key is told", () => read(file));
      expect(token).toMatch(new RegExp(`^sluice_run_${id}_1_`));
      const asRun = { authorization: `Bearer ${token}` };
      const get = (path: string) => fetch(`${server.apiUrl}${path}`, { headers: asRun });
      expect((await get(`/flow_runs/${id}`)).status).toBe(200);
      expect(await (await get("/session")).json()).toMatchObject({ role: "worker", by: "run_token" });
      expect((await get(`/work_pools/${pool}/channel`)).status).toBe(403);
      const other = await plane.trigger(await plane.deploy(null, await newPool()));
      expect((await get(`/flow_runs/${other.id}/channel`)).status).toBe(403);
      const forged = token.replace(id, other.id);
      const answer = await fetch(`${server.apiUrl}/session`, { headers: { authorization: `Bearer ${forged}` } });
      expect(answer.status).toBe(401);
      writeFileSync(`${file}.go`, "");
      expect((await plane.ends(id)).state_name).toBe("Completed");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("that was started beforehand runs one run, in the folder and with the variables of that run", async ({
    expect,
  }) => {
    using trace = traceFile();
    const pool = await newPool();
    await using worker = await workerFor(pool, ["--warm", "1"]);
    const deployment = await plane.deploy(`${FLOWS}:steps`, pool, { job_variables: { env: { MARK: "1" } } });
    const pids = new Set<number>();
    for (let count = 0; count < 3; count++) {
      const { id } = await plane.trigger(deployment, { trace: trace.path });
      expect((await plane.ends(id)).state_name).toBe("Completed");
      pids.add(await worker.pidOf(id));
    }
    expect(pids.size).toBe(3);
    const warm = worker.lines.filter((line) => line.event === "run-started" && line.warm);
    expect(warm.length).toBeGreaterThan(0);
    // What Node reads before any program needs a process of its own.
    const options = { job_variables: { env: { NODE_OPTIONS: "--title=marked" } } };
    const { id } = await plane.trigger(await plane.deploy(`${FLOWS}:steps`, pool, options), { trace: trace.path });
    expect((await plane.ends(id)).state_name).toBe("Completed");
    expect(worker.lines.find((line) => line.event === "run-started" && line.flow_run_id === id)).toMatchObject({
      warm: false,
    });
  });

  it("finds code that pull steps brought, which is removed afterwards", async ({ expect }) => {
    const origin = mkdtempSync(join(tmpdir(), "sluice-origin-"));
    try {
      const git = (...words: string[]) =>
        execFileSync("git", ["-C", origin, "-c", "user.name=t", "-c", "user.email=t@example.com", ...words]);
      git("init", "--quiet");
      writeFileSync(join(origin, "say.sh"), "pwd; echo from git");
      git("add", ".");
      git("commit", "--quiet", "-m", "code");
      const pool = await newPool();
      await using _worker = await workerFor(pool);
      const deployment = await plane.deploy(null, pool, {
        job_variables: { command: "sh say.sh" },
        pull_steps: [{ "prefect.deployments.steps.git_clone": { repository: `file://${origin}` } }],
      });
      const { id } = await plane.trigger(deployment);
      expect((await plane.ends(id)).state_name).toBe("Completed");
      const [place = "", said] = await messages(id);
      expect(said).toBe("from git");
      await eventually("the folder is gone", () => read(join(place, "say.sh")) === null);
    } finally {
      rmSync(origin, { recursive: true, force: true });
    }
  });
});

describe("sluice worker start", () => {
  it("--run-once runs what is due and ends with 0", async ({ expect }) => {
    const pool = await newPool();
    const deployment = await plane.deploy(null, pool, { job_variables: { command: "true" } });
    const ids = [(await plane.trigger(deployment)).id, (await plane.trigger(deployment)).id];
    await using worker = spawnWorker({ apiUrl: server.apiUrl, pool, limit: 1, env: KEYED, words: ["--run-once"] });
    expect((await worker.gone).code, worker.text()).toBe(0);
    for (const id of ids) expect((await plane.read(id)).state_name).toBe("Completed");
  });

  it("--with-healthcheck answers whether it is well", async ({ expect }) => {
    const pool = await newPool();
    const words = ["--with-healthcheck", "--health-port", "0", "--health-host", "127.0.0.1"];
    await using worker = await workerFor(pool, words);
    const line = worker.lines.find(({ event }) => event === "health");
    const port = line?.port;
    const answer = await fetch(`http://127.0.0.1:${port}/health`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ status: "ok", state: "online", activeRuns: 0 });
    expect((await fetch(`http://127.0.0.1:${port}/other`)).status).toBe(404);
  });
});

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8") || null;
  } catch {
    return null;
  }
}
