/** Flows that wait for somebody, over a real server. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, it } from "vitest";
import { z } from "zod";
import { configure } from "../../sdk/flow/configuration.ts";
import { flow, receiveInput, resumeFlowRun, SluiceError, sendInput } from "../../sdk/index.ts";
import { readDeploymentByName } from "../../sdk/protocol/deployments.ts";
import { filterFlowRunInput } from "../../sdk/protocol/flow-run-inputs.ts";
import type { FlowRun } from "../../sdk/protocol/flow-runs.ts";
import { eventually } from "../support/eventually.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { cleanEnvironment } from "../support/sluice.ts";
import { type ControlPlane, controlPlane } from "./control-plane.ts";

const PROGRAM = fileURLToPath(new URL("programs/waits.ts", import.meta.url));
const results = mkdtempSync(join(tmpdir(), "sluice-results-"));
let server: TestServer;
let plane: ControlPlane;
let child: ChildProcess;
let restore: () => void;

beforeAll(async () => {
  server = await startTestServer();
  plane = controlPlane(server.apiUrl);
  restore = configure({ apiUrl: server.apiUrl });
  child = spawn(process.execPath, [PROGRAM], {
    env: cleanEnvironment({ SLUICE_API_URL: server.apiUrl, SLUICE_RESULTS: results }),
    stdio: ["ignore", "pipe", "ignore"],
  });
  let written = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    written += String(chunk);
  });
  await eventually("it serves", () => written.includes("ready\n"), { withinMs: 30_000 });
});
afterAll(async () => {
  restore?.();
  child?.kill("SIGKILL");
  await server?.[Symbol.asyncDispose]();
  rmSync(results, { recursive: true, force: true });
});

async function trigger(flowName: string): Promise<FlowRun> {
  const params = { flow: flowName, deployment: "now" };
  return plane.trigger((await plane.client.call(readDeploymentByName, { params })).id);
}

const messages = async (run: FlowRun): Promise<string[]> => (await plane.logs(run.id)).map(({ message }) => message);

describe("a paused run", () => {
  it("goes on with the input that somebody gives, and fails by what it says", async ({ expect }) => {
    const [yes, no] = [await trigger("pauses"), await trigger("pauses")];
    await plane.reaches(yes.id, "PAUSED");
    await plane.reaches(no.id, "PAUSED");
    await resumeFlowRun(yes.id, { approved: true });
    await resumeFlowRun(no.id, { approved: false, by: "Bob" });
    expect((await plane.ends(yes.id)).state_name).toBe("Completed");
    expect((await plane.ends(no.id)).state?.message).toBe("Error: Bob said no");
    expect(await plane.states(yes.id)).toEqual(["Scheduled", "Pending", "Running", "Paused", "Running", "Completed"]);
  });

  it("shows what it asks for, and refuses an input that does not fit", async ({ expect }) => {
    const run = await trigger("pauses");
    await plane.reaches(run.id, "PAUSED");
    const body = { prefix: "paused-1-", limit: 10 };
    const kept = await plane.client.call(filterFlowRunInput, { params: { id: run.id }, body }, { idempotent: true });
    const [schema, description] = kept.map(({ value }) => JSON.parse(value));
    expect(schema).toMatchObject({ properties: { approved: { type: "boolean" }, by: { default: "Ada" } } });
    expect(description).toBe("May it go on?");
    await expect(resumeFlowRun(run.id, { approved: "perhaps" })).rejects.toThrow(SluiceError);
    await resumeFlowRun(run.id, { approved: true });
    await plane.ends(run.id);
    await expect(resumeFlowRun(run.id)).rejects.toThrow(/was not resumed/);
  });

  it("fails when nobody resumes it in time", async ({ expect }) => {
    const run = await trigger("too-late");
    expect((await plane.ends(run.id, 30_000)).state_type).toBe("FAILED");
  });
});

describe("a suspended run", () => {
  it("goes on in a new attempt: its tasks are restored, its waits are over, its input is there", async ({ expect }) => {
    const run = await trigger("suspends");
    await plane.reaches(run.id, "PAUSED");
    expect((await plane.states(run.id)).at(-1)).toBe("Suspended");
    await resumeFlowRun(run.id, { approved: true, by: "Ada" });
    await eventually(
      "it is paused by the second pause",
      async () => (await messages(run)).some((one) => one.includes('Pause "2"')),
      {
        withinMs: 20_000,
      },
    );
    await plane.reaches(run.id, "PAUSED");
    await resumeFlowRun(run.id);
    expect((await plane.ends(run.id)).state_name).toBe("Completed");
    const lines = await messages(run);
    expect(lines.filter((one) => one === "prepared")).toHaveLength(1);
    expect(lines).toContain('Task run "prepare-0" was restored: it had completed in an earlier attempt.');
    expect(lines).toContain('The wait "0" is over.');
    expect(lines).toContain("approved by Ada");
  });
});

describe("inputs of a run", () => {
  it("arrive in the order in which they were sent", async ({ expect }) => {
    const run = await trigger("collects");
    await plane.reaches(run.id, "RUNNING");
    await sendInput(run.id, "word", "hello");
    await sendInput(run.id, "word", "there");
    expect((await plane.ends(run.id)).state_name).toBe("Completed");
    expect(await messages(run)).toContain("hello there");
  });
});

describe("an input with its sender", () => {
  it("is answered by the run that receives it, to the run that sent it", async ({ expect }) => {
    const asked = Promise.withResolvers<FlowRun["id"]>();
    const answers = flow({ name: "answers" }, async (_: object, { flowRunId }) => {
      asked.resolve(flowRunId);
      const question = await receiveInput("number", { schema: z.number(), timeout: "20s", withSender: true });
      await question.respond(question.value * 2);
      const last = await receiveInput("last", { timeout: "20s", withSender: true });
      await expect(last.respond("nobody")).rejects.toThrow('The input "last" was not sent by a flow run');
      return [question.sender, last.sender];
    });
    const asks = flow({ name: "asks" }, async (_: object, { flowRunId }) => {
      const other = await asked.promise;
      await sendInput(other, "number", 21);
      return { asker: flowRunId, other, answer: await receiveInput("number", { timeout: "20s" }) };
    });
    const answering = answers({});
    const { asker, other, answer } = await asks({});
    await sendInput(other, "last", null);
    expect(answer).toBe(42);
    expect(await answering).toEqual([asker, null]);
  });
});

describe("examples/serve.ts", () => {
  it("serves one flow by each kind of schedule", async ({ expect }) => {
    const file = fileURLToPath(new URL("../../examples/serve.ts", import.meta.url));
    const env = cleanEnvironment({ SLUICE_API_URL: server.apiUrl });
    const example = spawn(process.execPath, [file], { env, stdio: "ignore" });
    try {
      const read = (name: string) =>
        plane.client.call(readDeploymentByName, { params: { flow: "report", deployment: name } });
      const last = await eventually("all are served", () => read("once-and-hourly").catch(() => null), {
        withinMs: 20_000,
      });
      const [cron, interval, rrule] = await Promise.all(["every-morning", "often", "last-friday"].map(read));
      const kinds = [cron, interval, rrule, last].map((one) =>
        one?.schedules.map(({ schedule }) => Object.keys(schedule)),
      );
      expect(
        kinds.map((all) =>
          all
            ?.flat()
            .filter((key) => ["cron", "interval", "rrule"].includes(key))
            .sort(),
        ),
      ).toEqual([["cron"], ["interval"], ["rrule"], ["interval", "rrule"]]);
      const run = await plane.trigger(interval?.id ?? last.id);
      expect((await plane.ends(run.id)).name).toBe("report for us");
    } finally {
      example.kill("SIGKILL");
    }
  });
});

describe("examples/approval.ts", () => {
  it("pays when somebody approves", async ({ expect }) => {
    const file = fileURLToPath(new URL("../../examples/approval.ts", import.meta.url));
    const env = cleanEnvironment({ SLUICE_API_URL: server.apiUrl, SLUICE_RESULTS: results });
    const example = spawn(process.execPath, [file], { env, stdio: "ignore" });
    try {
      const params = { flow: "approval", deployment: "by-hand" };
      const { id } = await eventually(
        "it is served",
        () => plane.client.call(readDeploymentByName, { params }).catch(() => null),
        { withinMs: 20_000 },
      );
      const run = await plane.trigger(id, { amount: 120 });
      await plane.reaches(run.id, "PAUSED");
      await resumeFlowRun(run.id, { approved: true });
      expect((await plane.ends(run.id)).state_name).toBe("Completed");
      expect(await messages(run)).toContain("paid 120");
    } finally {
      example.kill("SIGKILL");
    }
  });
});
