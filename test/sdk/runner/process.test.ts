/** Real processes of runs: what they are told, and how they end. */
import { describe, it } from "vitest";
import { RunProcess, type RunProcessOptions } from "../../../sdk/runner/process.ts";
import { WarmProcesses } from "../../../sdk/runner/warm-processes.ts";
import { eventually } from "../../support/eventually.ts";
import { isAlive } from "../../support/runner.ts";
import { startScriptedPool } from "./scripted-pool.ts";

const ASSIGNMENT = {
  apiUrl: "http://127.0.0.1:9/api",
  apiKey: null,
  flowRunId: "01a1fcd3-d6d8-7000-8002-765f2ce24811",
  generation: 3,
  entrypoint: "flows.ts:main",
};

/** A process of Node that runs this code. */
function run(code: string, options: Partial<RunProcessOptions> = {}) {
  const lines: string[] = [];
  const child = new RunProcess({
    assignment: ASSIGNMENT,
    cwd: process.cwd(),
    env: {},
    command: [process.execPath, "-e", code],
    onLine: (line) => lines.push(line),
    ...options,
  });
  return { child, lines };
}

describe("the process of a run", () => {
  it("is told of the run by the names that Sluice and Prefect have for it, whatever its environment says", async ({
    expect,
  }) => {
    const names = ["SLUICE_API_URL", "SLUICE_GENERATION", "PREFECT_API_URL", "PREFECT__FLOW_RUN_ID", "OWN"];
    const { child, lines } = run(`for (const name of ${JSON.stringify(names)}) console.log(process.env[name])`, {
      env: { OWN: "mine", SLUICE_API_URL: "http://elsewhere", PREFECT_API_URL: "http://elsewhere" },
    });
    expect(await child.ended).toMatchObject({ code: 0, signal: null, reported: false });
    expect(lines).toEqual([ASSIGNMENT.apiUrl, "3", ASSIGNMENT.apiUrl, ASSIGNMENT.flowRunId, "mine"]);
  });

  it("of a flow reports where its worker does, whatever its environment says", async ({ expect }) => {
    await using pool = await startScriptedPool();
    const child = new RunProcess({
      assignment: { ...ASSIGNMENT, apiUrl: pool.url },
      cwd: process.cwd(),
      env: { SLUICE_API_URL: "http://127.0.0.1:9/api", SLUICE_GENERATION: "another" },
      onLine: () => undefined,
    });
    await eventually("it connects", () => pool.runConnections > 0);
    child.kill();
    expect((await child.ended).signal).toBe("SIGKILL");
  });

  it("says that its end is stored on a way of its own", async ({ expect }) => {
    expect(await run('require("fs").writeSync(3, "reported\\n")').child.ended).toMatchObject({ reported: true });
    expect(await run('console.log("reported")').child.ended).toMatchObject({ reported: false });
  });

  it("leaves the error that it wrote last, however much it wrote before", async ({ expect }) => {
    const code =
      'for (let i = 0; i < 100; i++) console.error("noise"); console.error("TypeError: at last"); process.exit(3)';
    expect(await run(code).child.ended).toMatchObject({ code: 3, lastError: "TypeError: at last" });
  });

  it("is killed after its grace when it does not end by itself", async ({ expect }) => {
    const { child, lines } = run('process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log("ready")');
    await eventually("it listens", () => lines.includes("ready"));
    child.terminate(20);
    expect(await child.ended).toMatchObject({ signal: "SIGKILL" });
  });

  it("takes with it what it has started", async ({ expect }) => {
    const code =
      'const c = require("child_process").spawn("sleep", ["60"], { stdio: "ignore" }); c.unref(); console.log(c.pid)';
    const { child, lines } = run(code);
    await child.ended;
    const pid = Number(lines[0]);
    expect(pid).toBeGreaterThan(0);
    await eventually("it is gone", () => !isAlive(pid));
  });

  it("that cannot be started says so", async ({ expect }) => {
    await expect(run("", { command: ["/no/such/program"] }).child.ended).rejects.toThrow("ENOENT");
  });
});

describe("processes that wait for runs", () => {
  it("are as many as is said, serve one run each, and none whose variables are read at the start", async ({
    expect,
  }) => {
    const waiting = new WarmProcesses(1);
    waiting.start("http://127.0.0.1:9/api");
    try {
      expect([waiting.idle, waiting.take({ NODE_OPTIONS: "--no-warnings" }), waiting.idle]).toEqual([1, null, 1]);
      const child = waiting.take({ OWN: "mine" });
      expect(child?.pid).toBeGreaterThan(0);
      expect([waiting.idle, waiting.take({})]).toEqual([0, null]);
      child?.kill("SIGKILL");
      await eventually("another one waits", () => waiting.idle === 1);
      const next = waiting.take({});
      const pid = next?.pid ?? 0;
      waiting.stop();
      // It is somebody else's now.
      expect(isAlive(pid)).toBe(true);
      next?.kill("SIGKILL");
    } finally {
      waiting.stop();
    }
  });

  it("are started no more when three in a row have died unused", async ({ expect }) => {
    const before = process.env["NODE_OPTIONS"];
    process.env["NODE_OPTIONS"] = "--no-such-option";
    const waiting = new WarmProcesses(1);
    try {
      waiting.start("http://127.0.0.1:9/api");
      expect(waiting.idle).toBe(1);
      await eventually("the third one is gone", () => waiting.idle === 0);
    } finally {
      waiting.stop();
      if (before === undefined) delete process.env["NODE_OPTIONS"];
      else process.env["NODE_OPTIONS"] = before;
    }
  });

  it("go when nobody needs them any more", async ({ expect }) => {
    const processes = (): number => process.getActiveResourcesInfo().filter((one) => one === "ProcessWrap").length;
    const before = processes();
    const waiting = new WarmProcesses(2);
    waiting.start("http://127.0.0.1:9/api");
    expect(waiting.idle).toBe(2);
    waiting.stop();
    expect(waiting.idle).toBe(0);
    await eventually("they are gone", () => processes() <= before);
  });
});
