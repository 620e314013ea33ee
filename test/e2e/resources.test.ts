/** The commands about flows, runs, task runs, artifacts, variables and deployments, typed against a real server. */
import { afterAll, beforeAll, describe, it } from "vitest";
import { createArtifact } from "../../sdk/protocol/artifacts.ts";
import { createFlowRun, type FlowRun } from "../../sdk/protocol/flow-runs.ts";
import { createFlow } from "../../sdk/protocol/flows.ts";
import type { FlowId } from "../../sdk/protocol/ids.ts";
import { eventually } from "../support/eventually.ts";
import { type StartedWorker, startWorker } from "../support/runner.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { type Ended, sluice } from "../support/sluice.ts";
import { type ControlPlane, controlPlane, traceFile } from "./control-plane.ts";

const UNKNOWN_ID = "01a1fcd3-d6d8-7000-8002-765f2ce24811";
let server: TestServer;
let worker: StartedWorker;
let plane: ControlPlane;

beforeAll(async () => {
  server = await startTestServer();
  plane = controlPlane(server.apiUrl);
  await plane.pool("typed");
  worker = await startWorker({ apiUrl: server.apiUrl, pool: "typed" });
});
afterAll(async () => {
  await worker?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

function type(...words: string[]): Promise<Ended> {
  return sluice(words, { env: { SLUICE_API_URL: server.apiUrl } });
}

async function typeForJson<T = Record<string, unknown>>(...words: string[]): Promise<T> {
  const { exitCode, stdout, stderr } = await type(...words, "--output", "json");
  if (exitCode !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as T;
}

async function aFlow(name: string): Promise<FlowId> {
  return (await plane.client.call(createFlow, { body: { name } })).id;
}

async function aRun(flow: FlowId, state: "PENDING" | "FAILED" | "RUNNING"): Promise<FlowRun> {
  return plane.client.call(createFlowRun, { body: { flow_id: flow, state: { type: state } } });
}

describe("sluice flow", () => {
  it("lists, shows and deletes flows by name and by id", async ({ expect }) => {
    const id = await aFlow("typed-flow");
    expect((await type("flow", "ls")).stdout).toMatch(new RegExp(`NAME +ID[\\s\\S]*typed-flow +${id}`));
    expect((await type("flow", "inspect", "typed-flow")).stdout).toMatch(/Name +typed-flow[\s\S]*no deployments/);
    expect(await typeForJson("flow", "inspect", id)).toMatchObject({ id, name: "typed-flow", deployments: [] });
    expect((await type("flow", "delete", "typed-flow")).stdout).toBe('Flow "typed-flow" was deleted.\n');
    expect((await type("flow", "inspect", "typed-flow")).exitCode).toBe(5);
    expect((await type("flow", "delete", UNKNOWN_ID)).exitCode).toBe(5);
  });
});

describe("sluice flow-run", () => {
  it("cancel stops a run that a worker executes", async ({ expect }) => {
    using trace = traceFile();
    const deployment = await plane.deploy("test/e2e/flows/steps.ts:untilTold", "typed");
    const run = await plane.trigger(deployment, { trace: trace.path, until: "/nowhere" });
    await eventually("it is under way", () => trace.read().length > 0);
    const { exitCode, stdout } = await type("flow-run", "cancel", run.id);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `Flow run ${run.id} is being cancelled.\n` });
    expect((await plane.ends(run.id)).state_type).toBe("CANCELLED");
    const again = await type("flow-run", "cancel", run.id);
    expect(again).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/was not cancelled: .*\n.*→/) });
  });

  it("cancel ends a run at once that nobody executes", async ({ expect }) => {
    const run = await aRun(await aFlow("waiting"), "PENDING");
    expect(await typeForJson("flow-run", "cancel", run.id)).toMatchObject({
      state: { type: expect.stringMatching("CANCEL") },
    });
  });

  it("retry executes a run of a deployment again", async ({ expect }) => {
    using trace = traceFile();
    const deployment = await plane.deploy("test/e2e/flows/steps.ts:exits", "typed");
    const run = await plane.trigger(deployment, { trace: trace.path });
    expect((await plane.ends(run.id)).state_type).toBe("CRASHED");
    const { exitCode, stdout } = await type("flow-run", "retry", run.id);
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("flow-run logs") });
    await eventually("it ran twice", () => trace.read().filter(({ what }) => what === "start").length >= 2, {
      withinMs: 20_000,
    });
    await plane.ends(run.id);
  });

  it("retry with other parameters makes another run", async ({ expect }) => {
    using trace = traceFile();
    const deployment = await plane.deploy("test/e2e/flows/steps.ts:exits", "typed");
    const run = await plane.trigger(deployment, { trace: trace.path });
    await plane.ends(run.id);
    const again = await typeForJson<{ run: FlowRun }>("flow-run", "retry", run.id, "--param", "more=1");
    expect(again.run.id).not.toBe(run.id);
    expect(again.run.parameters).toEqual({ ...run.parameters, more: 1 });
    await plane.ends(again.run.id);
    expect(await type("flow-run", "retry", run.id, "--from", "elsewhere")).toMatchObject({ exitCode: 2 });
    expect(await type("flow-run", "retry", run.id, "--from", UNKNOWN_ID)).toMatchObject({ exitCode: 5 });
  });

  it("retry says why a run cannot be run again", async ({ expect }) => {
    const flow = await aFlow("without-deployment");
    const [failed, running] = [await aRun(flow, "FAILED"), await aRun(flow, "RUNNING")];
    expect(await type("flow-run", "retry", failed.id)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("has no deployment"),
    });
    expect(await type("flow-run", "retry", running.id)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("is Running"),
    });
    expect((await type("flow-run", "retry", UNKNOWN_ID)).exitCode).toBe(5);
  });

  it("delete takes a run away", async ({ expect }) => {
    const run = await aRun(await aFlow("deleted"), "FAILED");
    expect((await type("flow-run", "delete", run.id)).exitCode).toBe(0);
    expect((await type("flow-run", "delete", run.id)).exitCode).toBe(5);
    expect((await type("flow-run", "inspect", run.id)).exitCode).toBe(5);
  });
});

describe("sluice task-run", () => {
  it("lists the task runs of a run, and shows one with its states", async ({ expect }) => {
    const deployment = await plane.deploy("examples/hello.ts:hello", "typed");
    const run = await plane.trigger(deployment);
    expect((await plane.ends(run.id)).state_type).toBe("COMPLETED");
    const list = await eventually("its task is listed", async () => {
      const tasks = await typeForJson<{ id: string }[]>("task-run", "ls", "--flow-run", run.id, "--state", "completed");
      return tasks.length > 0 ? tasks : null;
    });
    expect(list).toHaveLength(1);
    const id = list[0]?.id ?? "";
    expect((await type("task-run", "ls")).stdout).toContain(id);
    expect((await type("task-run", "inspect", id)).stdout).toMatch(/Name +greet-\S+[\s\S]*AT +STATE[\s\S]* Completed/);
    expect(await typeForJson("task-run", "inspect", id)).toMatchObject({ id, states: expect.any(Array) });
    expect((await type("task-run", "inspect", "x")).exitCode).toBe(2);
    expect((await type("task-run", "inspect", UNKNOWN_ID)).exitCode).toBe(5);
  });
});

describe("sluice artifact", () => {
  it("lists the latest of each key, shows and deletes", async ({ expect }) => {
    for (const data of ["# first", "# second"]) {
      await plane.client.call(createArtifact, { body: { key: "report", type: "markdown", data } });
    }
    expect(await typeForJson<unknown[]>("artifact", "ls")).toMatchObject([{ key: "report", data: "# second" }]);
    const all = await typeForJson<{ id: string }[]>("artifact", "ls", "--all", "--key", "report");
    expect(all).toHaveLength(2);
    expect((await type("artifact", "inspect", "report")).stdout).toMatch(/Type +markdown[\s\S]*# second/);
    expect((await type("artifact", "inspect", all[1]?.id ?? "")).stdout).toContain("# first");
    expect((await type("artifact", "delete", all[0]?.id ?? "")).exitCode).toBe(0);
    expect((await type("artifact", "inspect", "report")).stdout).toContain("# first");
    expect(await typeForJson("artifact", "delete", "report")).toMatchObject({ ids: [all[1]?.id] });
    expect((await type("artifact", "delete", "report")).exitCode).toBe(5);
    expect((await type("artifact", "ls")).stdout).toContain("no such artifacts");
  });
});

describe("sluice variable", () => {
  it("sets, gets, changes and unsets values of any kind", async ({ expect }) => {
    expect((await type("variable", "set", "region", "eu-west-1", "--tag", "a")).exitCode).toBe(0);
    expect((await type("variable", "get", "region")).stdout).toBe("eu-west-1\n");
    const taken = await type("variable", "set", "region", "us");
    expect(taken).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("--overwrite") });
    await typeForJson("variable", "set", "region", '{"rows":[1,2]}', "--overwrite");
    expect((await type("variable", "get", "region")).stdout).toBe('{"rows":[1,2]}\n');
    expect(await typeForJson("variable", "get", "region")).toEqual({ rows: [1, 2] });
    expect(await typeForJson("variable", "inspect", "region")).toMatchObject({ name: "region", tags: ["a"] });
    expect((await type("variable", "ls")).stdout).toMatch(/region +{"rows":\[1,2\]} +a/);
    expect((await type("variable", "unset", "region")).exitCode).toBe(0);
    expect((await type("variable", "get", "region")).exitCode).toBe(5);
  });
});

describe("sluice deployment", () => {
  it("inspect and delete take flow/deployment", async ({ expect }) => {
    await plane.deploy("examples/hello.ts:hello", "typed", { name: "shown" });
    expect((await type("deployment", "inspect", "e2e/shown")).stdout).toMatch(
      /Name +shown[\s\S]*Entrypoint +examples\/hello\.ts:hello[\s\S]*no schedules/,
    );
    expect(await typeForJson("deployment", "inspect", "e2e/shown")).toMatchObject({ name: "shown", schedules: [] });
    expect((await type("deployment", "delete", "e2e/shown")).exitCode).toBe(0);
    expect((await type("deployment", "delete", "e2e/shown")).exitCode).toBe(5);
    expect((await type("deployment", "inspect", "shown")).exitCode).toBe(2);
  });

  it("versions lists what it was, and rollback makes it so again", async ({ expect }) => {
    await plane.deploy("examples/hello.ts:hello", "typed", { name: "changed" });
    expect((await type("deployment", "rollback", "e2e/changed")).stderr).toMatch(/has no earlier version[\s\S]*→/);
    await plane.deploy("examples/csv-etl.ts:csvEtl", "typed", { name: "changed" });
    expect((await type("deployment", "versions", "e2e/changed")).stdout).toMatch(/2 [^\n]*csvEtl[\s\S]*1 [^\n]*hello/);
    expect((await type("deployment", "rollback", "e2e/changed")).stdout).toMatch(/as it was in version 1/);
    expect(await typeForJson("deployment", "inspect", "e2e/changed")).toMatchObject({
      entrypoint: "examples/hello.ts:hello",
    });
  });
});
