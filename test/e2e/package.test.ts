/** The package as it is published, installed into an empty project: what a new user has, on each runtime. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, it, vi } from "vitest";
import { createDeployment } from "../../sdk/protocol/deployments.ts";
import { filterFlowRuns } from "../../sdk/protocol/flow-runs.ts";
import { createFlow } from "../../sdk/protocol/flows.ts";
import { filterTaskRuns } from "../../sdk/protocol/task-runs.ts";
import { installRuntimes, type Runtime, THIS_NODE } from "../package/runtimes.ts";
import { eventually } from "../support/eventually.ts";
import { cleanEnvironment } from "../support/sluice.ts";
import { controlPlane } from "./control-plane.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PROGRAM = fileURLToPath(new URL("programs/any-runtime.ts", import.meta.url));
const SERVED = fileURLToPath(new URL("programs/served-flow.ts", import.meta.url));
const INSTALL_TIMEOUT_MS = 300_000;

const project = mkdtempSync(join(tmpdir(), "sluice-package-"));
const sluiceBin = join(project, "node_modules/.bin/sluice");
let server: ChildProcess;
let apiUrl = "";

/** What the other runtimes are, or why there are none. */
const others: readonly Runtime[] | Error = await installRuntimes().catch((error: Error) => error);
if (others instanceof Error) console.warn(`Skipped: Node 22, Bun and Deno could not be installed. ${others.message}`);
const runtimes = [THIS_NODE, ...(others instanceof Error ? [] : others)];

beforeAll(async () => {
  const { stdout } = await run(process.execPath, [join(ROOT, "package.ts")], { cwd: ROOT });
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "empty", type: "module", private: true }));
  const words = ["install", "--prefer-offline", "--no-audit", "--no-fund", stdout.trim()];
  await run("npm", words, { cwd: project, timeout: INSTALL_TIMEOUT_MS });
  cpSync(PROGRAM, join(project, "program.ts"));
  cpSync(SERVED, join(project, "served-flow.ts"));
  server = spawn(sluiceBin, ["server", "start", "--port", "0", "--data", join(project, "data"), "--output", "json"], {
    cwd: project,
    env: cleanEnvironment({}),
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (server.stdout === null) throw new Error("The server has no output.");
  for await (const line of createInterface(server.stdout)) {
    apiUrl = (JSON.parse(line) as { api_url: string }).api_url;
    break;
  }
}, INSTALL_TIMEOUT_MS);

afterAll(async () => {
  const ended = new Promise((resolve) => server?.once("exit", resolve));
  if (server?.kill("SIGTERM")) await ended;
  rmSync(project, { recursive: true, force: true });
});

/** Runs the program and answers what it printed as its result. */
async function resultOn(runtime: Runtime, env: Readonly<Record<string, string>>): Promise<unknown> {
  const [program, ...words] = runtime.command;
  const results = mkdtempSync(join(tmpdir(), "sluice-results-"));
  try {
    const { stdout } = await run(program, [...words, join(project, "program.ts")], {
      cwd: project,
      env: cleanEnvironment({ SLUICE_RESULTS: results, SLUICE_ECHO_LOGS: "0", ...env }),
      timeout: 30_000,
    });
    return JSON.parse(stdout.match(/^RESULT (.*)$/m)?.[1] ?? "null");
  } finally {
    rmSync(results, { recursive: true, force: true });
  }
}

/** Serves the other program's flow, and answers the port. */
async function serveOn(runtime: Runtime, env: Readonly<Record<string, string>>) {
  const [program, ...words] = runtime.command;
  const child = spawn(program, [...words, join(project, "served-flow.ts")], {
    cwd: project,
    env: cleanEnvironment({ SLUICE_ECHO_LOGS: "0", SLUICE_RESULTS: "", ...env }),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  let written = "";
  child.stdout.on("data", (chunk: Buffer) => {
    written += String(chunk);
  });
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  try {
    const port = await eventually("it listens", () => Number(/^PORT (\d+)$/m.exec(written)?.[1]) || null);
    return { port, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const EXPECTED = { word: "DONE", first: 9, again: 9, all: [1, 4, 9], attempts: 2, computed: 3, aborted: false };

describe("the published package", () => {
  for (const runtime of runtimes) {
    it(`runs a flow with tasks, retries, a cache and logs on ${runtime.name}, without a server`, async ({ expect }) => {
      expect(await resultOn(runtime, {})).toEqual(EXPECTED);
    });

    it(`reports it to a server from ${runtime.name}`, async ({ expect }) => {
      const name = `from ${runtime.name}`;
      expect(await resultOn(runtime, { SLUICE_API_URL: apiUrl, RUN_NAME: name })).toEqual(EXPECTED);
      const { client } = controlPlane(apiUrl);
      const run = await eventually("the run is listed as Completed", async () => {
        const found = await client.call(filterFlowRuns, { body: { flow_runs: { name: { any_: [name] } } } });
        return found.find(({ state_name }) => state_name === "Completed");
      });
      await vi.waitFor(async () => {
        const tasks = await client.call(filterTaskRuns, { body: { flow_runs: { id: { any_: [run.id] } } } });
        expect(tasks.map((task) => `${task.name} ${task.state_name}`).sort()).toEqual([
          "flaky-0 Completed",
          "square-0 Completed",
          "square-1 Cached",
          "square-2 Completed",
          "square-3 Completed",
          "square-4 Cached",
        ]);
      }, 20_000);
    });

    it(`executes a run that is pushed to serveFlows() on ${runtime.name}`, async ({ expect }) => {
      const env = { SLUICE_API_URL: apiUrl, SLUICE_PUSH_SECRET: `whsec_${btoa("the secret of the runtimes")}` };
      await using target = await serveOn(runtime, env);
      const pool = `pushed-to-${runtime.name}`;
      const words = ["work-pool", "create", pool, "--type", "http", "--url", `http://127.0.0.1:${target.port}`];
      await run(sluiceBin, [...words, "--secret", env.SLUICE_PUSH_SECRET], {
        cwd: project,
        env: cleanEnvironment(env),
      });
      const plane = controlPlane(apiUrl);
      const flow = await plane.client.call(createFlow, { body: { name: "served" } });
      const deployment = await plane.client.call(createDeployment, {
        body: { name: runtime.name, flow_id: flow.id, work_pool_name: pool },
      });
      const { id } = await plane.trigger(deployment.id, { runtime: runtime.name });
      expect((await plane.ends(id)).state_name).toBe("Completed");
      const messages = (await plane.logs(id)).map(({ message }) => message);
      expect(messages).toContain(`${runtime.name} made 42.`);
    });
  }

  it("has types that a project without options of its own compiles with", async ({ expect }) => {
    mkdirSync(join(project, "typed"), { recursive: true });
    const source = `
      import { flow, task, type Flow } from "sluice";
      import { createClient } from "sluice/client";
      import { secret } from "sluice/blocks";
      import { FlowRun, LIMITS } from "sluice/protocol";
      import { offlineWorld } from "sluice/testing";
      const length = task({ name: "length" }, async (text: string) => text.length);
      export const one: Flow<{ text: string }, Promise<number>> = flow({ name: "one" }, async ({ text }: { text: string }) => length(text));
      // @ts-expect-error: the text is missing.
      await one({});
      console.log(createClient, secret, FlowRun, LIMITS, offlineWorld);
    `;
    writeFileSync(join(project, "typed/index.ts"), source);
    const options = {
      module: "nodenext",
      target: "es2024",
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      types: [],
    };
    writeFileSync(join(project, "typed/tsconfig.json"), JSON.stringify({ compilerOptions: options }));
    const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
    const compiled = await run(process.execPath, [tsc, "-p", join(project, "typed")]).catch((error) => error);
    expect(compiled.stdout).toBe("");
  }, 120_000);

  it("shows an error that nobody caught with a short line of its code", async ({ expect }) => {
    const env = cleanEnvironment({ SLUICE_API_URL: "http://127.0.0.1:1/api", SLUICE_ECHO_LOGS: "0" });
    const failed: { readonly stderr: string } = await run(process.execPath, [join(project, "program.ts")], {
      cwd: project,
      env,
    }).catch((error) => error);
    expect(failed.stderr).toContain("cannot be reached: bad port");
    expect(failed.stderr.split("\n").filter((line) => line.length > 600)).toEqual([]);
  }, 30_000);

  it("finds in its own bundle what it loads by address: a flow of a git source, the worker's child", async ({
    expect,
  }) => {
    const source = `
      import { flow, gitSource } from "sluice";
      await flow.from({ source: gitSource({ url: "file:///nowhere" }), entrypoint: "x.ts:y" }).catch(({ message }) => console.log(message));
    `;
    writeFileSync(join(project, "sourced.ts"), source);
    const { stdout } = await run(process.execPath, [join(project, "sourced.ts")], { cwd: project });
    expect(stdout).toMatch(/git.*nowhere/s);
    writeFileSync(
      join(project, "hello.ts"),
      `import { flow, task } from "sluice"; const one = task({ name: "one" }, async () => 1); export const hello = flow({ name: "hello" }, async () => one());`,
    );
    const env = cleanEnvironment({ SLUICE_API_URL: apiUrl });
    const sluice = (...words: string[]) => run(sluiceBin, words, { cwd: project, env });
    await sluice("work-pool", "create", "packed");
    await sluice("deploy", "hello.ts:hello", "--name", "now", "--pool", "packed");
    await sluice("deployment", "run", "hello/now");
    await sluice("worker", "start", "--pool", "packed", "--run-once");
    const { client } = controlPlane(apiUrl);
    await vi.waitFor(async () => {
      const [made] = await client.call(filterFlowRuns, { body: { flows: { name: { any_: ["hello"] } } } });
      expect(made?.state?.message ?? made?.state_name).toBe("Completed");
    }, 20_000);
  }, 60_000);

  it("holds no source, test or tool of the repository, and depends on what it imports alone", ({ expect }) => {
    const read = (path: string): string => readFileSync(join(project, "node_modules/sluice", path), "utf8");
    const { dependencies, devDependencies, scripts } = JSON.parse(read("package.json"));
    expect(Object.keys(dependencies).sort()).toEqual(["aws4fetch", "commander", "smol-toml", "workerd", "zod"]);
    expect([devDependencies, scripts]).toEqual([undefined, undefined]);
    expect(read("README.md")).toContain("Sluice");
    expect(() => read("sdk/index.ts")).toThrow("ENOENT");
    // Errors name them.
    expect(read("docs/schedules.md")).toContain("# Schedules");
  });

  it("has a core that loads where there are no modules of Node, also what it loads when it is first used", ({
    expect,
  }) => {
    const importedBy = (doors: readonly string[], pattern: RegExp): string[] => {
      const imported = new Set<string>();
      const visit = (file: string): void => {
        if (imported.has(file)) return;
        imported.add(file);
        const text = readFileSync(join(project, "node_modules/sluice", file), "utf8");
        for (const [, name = ""] of text.matchAll(pattern)) {
          if (name.startsWith(".")) visit(join(file, "..", name));
          else imported.add(name);
        }
      };
      for (const door of doors) visit(`sdk/${door}.js`);
      expect(imported.size).toBeGreaterThan(5);
      return [...imported].filter((name) => !name.startsWith("sdk/"));
    };
    const doors = ["index", "client/index", "blocks/index", "protocol/index", "testing/index"];
    expect(importedBy(doors, /(?:from|import)"([^"\s]+)"/g)).toEqual([]);
    const ever = importedBy(["index", "http/index"], /(?:from|import|import\()"([^"\s]+)"/g);
    expect(ever.sort()).toEqual(["@opentelemetry/api", "aws4fetch"]);
  });
});
