/** The demo: its flow survives the death of the server, and the program itself leaves nothing behind. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, it } from "vitest";
import { readTaskRunsOf } from "../../sdk/cli/task-runs-of.ts";
import { filterArtifacts } from "../../sdk/protocol/artifacts.ts";
import { isTerminal } from "../../sdk/protocol/states.ts";
import { lineReader } from "../../sdk/runner/output-lines.ts";
import { eventually } from "../support/eventually.ts";
import { isAlive, startWorker } from "../support/runner.ts";
import { startTestServer } from "../support/server.ts";
import { cleanEnvironment } from "../support/sluice.ts";
import { controlPlane } from "./control-plane.ts";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

describe("the demo's flow", () => {
  it("goes on to Completed when the server is killed in its middle and started again", async ({ expect }) => {
    await using server = await startTestServer();
    const plane = controlPlane(server.apiUrl);
    await plane.pool("demo");
    await using worker = await startWorker({ apiUrl: server.apiUrl, pool: "demo" });
    const deployment = await plane.deploy("examples/audit-packages.ts:auditPackages", "demo");
    const { id } = await plane.trigger(deployment, { root: PROJECT });
    await plane.reaches(id, "RUNNING");
    await eventually("something is reported", async () => (await plane.logs(id)).length > 0);
    const before = await plane.read(id);
    await server.kill("SIGKILL");
    expect(before.state_name).toBe("Running");
    expect(isAlive(await worker.pidOf(id))).toBe(true);
    await server.restart();

    const run = await plane.ends(id, 40_000);
    expect(run, run.state?.message ?? "").toMatchObject({ state_name: "Completed", run_count: 1 });
    expect(await plane.states(id)).toEqual(["Scheduled", "Pending", "Running", "Completed"]);
    const tasks = await eventually("all task runs are listed as ended", async () => {
      const listed = await readTaskRunsOf(plane.client, id);
      return listed.every((task) => isTerminal(task.state_type)) ? listed : null;
    });
    const countOf = (name: string): number => tasks.filter((task) => task.task_key.startsWith(`${name}-`)).length;
    expect(tasks.filter((task) => task.state_name !== "Completed")).toEqual([]);
    expect(countOf("audit-package")).toBeGreaterThan(50);
    for (const name of ["find-packages", "read-inventory", "write-inventory", "summarise", "publish"])
      expect(countOf(name), name).toBe(1);
    expect(tasks.find((task) => task.name.startsWith("read-inventory"))?.run_count).toBe(2);
    const artifacts = await plane.client.call(filterArtifacts, {
      body: { artifacts: { flow_run_id: { any_: [id] } } },
    });
    expect(artifacts.map(({ type }) => type).sort()).toEqual(["markdown", "table"]);
    expect(worker.lines.filter(({ event }) => event === "run-started")).toHaveLength(1);
  });
});

interface StartedDemo {
  readonly child: ChildProcess;
  readonly text: () => string;
  readonly gone: Promise<number | null>;
}

function startDemo(...words: readonly string[]): StartedDemo {
  const child = spawn(process.execPath, ["examples/demo.ts", ...words], {
    cwd: PROJECT,
    env: cleanEnvironment({}),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    const reader = lineReader((line) => {
      text += `${line}\n`;
    });
    stream.on("data", (chunk: Uint8Array) => reader.push(chunk));
  }
  const gone = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  return { child, text: () => text, gone };
}

describe("the demo", () => {
  it("with --keep ends with 0, leaves server and worker running, and says how to stop them", async ({ expect }) => {
    const demo = startDemo("--keep");
    expect(await demo.gone, demo.text()).toBe(0);
    const [, worker = 0, server = 0] = (/kill (\d+) (\d+)/.exec(demo.text()) ?? []).map(Number);
    const folder = /stay in (\S+)\)/.exec(demo.text())?.[1] ?? "";
    try {
      expect(demo.text()).toMatch(/audit-package +\d+ +\d+ +\d+ Completed/);
      expect(demo.text()).toContain("read-inventory-0 failed 1 time(s) and was retried");
      expect(isAlive(worker) && isAlive(server)).toBe(true);
      const [, address = ""] = /The run: (\S+)/.exec(demo.text()) ?? [];
      expect(await (await fetch(address)).json()).toMatchObject({ state_name: "Completed" });
    } finally {
      for (const pid of [worker, server]) process.kill(pid, "SIGTERM");
      await eventually("both have ended", () => !isAlive(worker) && !isAlive(server), { withinMs: 20_000 });
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("takes everything away when it is interrupted", async ({ expect }) => {
    const demo = startDemo();
    const [, data = "", worker = "0"] = await eventually(
      "the worker is started",
      () => /data in (\S+)[\s\S]*\(process (\d+)\)/.exec(demo.text()),
      { withinMs: 30_000 },
    );
    expect(existsSync(data)).toBe(true);
    demo.child.kill("SIGINT");
    expect(await demo.gone, demo.text()).toBe(130);
    expect(existsSync(data)).toBe(false);
    expect(isAlive(Number(worker))).toBe(false);
  });
});
