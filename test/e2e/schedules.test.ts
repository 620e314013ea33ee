/** A real server whose schedules are followed, with a real worker, and the commands about them. */
import { afterAll, beforeAll, describe, it } from "vitest";
import { createDeploymentSchedules } from "../../sdk/protocol/deployment-operations.ts";
import { type FlowRun, filterFlowRuns } from "../../sdk/protocol/flow-runs.ts";
import type { DeploymentId } from "../../sdk/protocol/ids.ts";
import { type EpochMs, toWireTime } from "../../sdk/protocol/time.ts";
import { eventually } from "../support/eventually.ts";
import { startWorker } from "../support/runner.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { type Ended, sluice } from "../support/sluice.ts";
import { type ControlPlane, controlPlane, traceFile } from "./control-plane.ts";

const FLOW = "test/e2e/flows/steps.ts:steps";
let server: TestServer;
let plane: ControlPlane;

beforeAll(async () => {
  server = await startTestServer();
  plane = controlPlane(server.apiUrl);
  await plane.pool("timed");
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

function type(...words: string[]): Promise<Ended> {
  return sluice(words, { env: { SLUICE_API_URL: server.apiUrl } });
}

function runsOf(id: DeploymentId): Promise<FlowRun[]> {
  const body = { deployments: { id: { any_: [id] } }, sort: "EXPECTED_START_TIME_ASC" as const };
  return plane.client.call(filterFlowRuns, { body });
}

describe("a schedule", () => {
  it("starts its runs on a worker when they are due", async ({ expect }) => {
    using trace = traceFile();
    await using _worker = await startWorker({ apiUrl: server.apiUrl, pool: "timed", limit: 3 });
    const id = await plane.deploy(FLOW, "timed", { name: "every-three-seconds" });
    const begin = Date.now() + 1_500;
    const schedule = { interval: 3, anchor_date: toWireTime(begin as EpochMs) };
    await plane.client.call(createDeploymentSchedules, {
      params: { id },
      body: [{ schedule, parameters: { trace: trace.path } }],
    });
    const ended = await eventually(
      "three runs are completed",
      async () => {
        const done = (await runsOf(id)).filter((run) => run.state_type === "COMPLETED");
        return done.length >= 3 ? done : null;
      },
      { withinMs: 40_000 },
    );
    for (const run of ended) {
      const states = await plane.states(run.id);
      expect(states.filter((name) => name !== "Late")).toEqual(["Scheduled", "Pending", "Running", "Completed"]);
      expect(Date.parse(run.start_time ?? "")).toBeGreaterThanOrEqual(Date.parse(run.expected_start_time ?? ""));
    }
    const due = ended.map((run) => Date.parse(run.expected_start_time ?? ""));
    expect(due[1]).toBe((due[0] ?? 0) + 3_000);
    expect((await type("schedule", "ls", "e2e/every-three-seconds")).stdout).toContain("every 3 s");
  });
});

describe("sluice schedule and sluice backfill", () => {
  it("add, show, change and delete a schedule", async ({ expect }) => {
    await plane.deploy(FLOW, "timed", { name: "typed" });
    const words = ["e2e/typed", "--cron", "0 6 * * *", "--timezone", "Europe/London", "--slug", "morning"];
    const made = await type("schedule", "create", ...words, "--overlap", "SKIP", "--jitter", "30");
    expect(made.stderr).toBe("");
    expect(made.stdout).toMatch(/cron 0 6 \* \* \* +Europe\/London +yes +morning/);
    expect((await type("schedule", "policy", "e2e/typed", "morning")).stdout).toMatch(
      /Overlap +SKIP[\s\S]*Jitter +30 s/,
    );
    const bounds = ["--start-at", "2026-12-01T00:00:00Z", "--end-at", "2027-12-01T00:00:00Z"];
    const catchUp = ["--catch-up", "LAST", "--catch-up-window", "600"];
    expect((await type("schedule", "policy", "e2e/typed", "morning", ...catchUp, ...bounds)).stdout).toMatch(
      /Overlap +SKIP\nCatch-up +LAST\nCatch-up window +600 s\nJitter +30 s\nStart +2026-12-01\S+\nEnd +2027-12-01/,
    );
    expect((await type("schedule", "pause", "e2e/typed", "morning")).exitCode).toBe(0);
    expect((await type("schedule", "ls", "e2e/typed")).stdout).toMatch(/morning/);
    expect((await type("schedule", "resume", "e2e/typed", "morning")).exitCode).toBe(0);
    const range = ["--from", "2026-01-01T00:00:00Z", "--to", "2026-01-04T00:00:00Z"];
    expect((await type("backfill", "start", "e2e/typed", ...range, "--preview")).stdout).toContain("3 runs:");
    const started = await type("backfill", "start", "e2e/typed", ...range, "--output", "json");
    expect(JSON.parse(started.stdout)).toMatchObject({ status: "RUNNING", total: 3, made: 1 });
    const { id } = JSON.parse(started.stdout) as { id: string };
    expect((await type("backfill", "ls", "e2e/typed")).stdout).toMatch(/RUNNING[\s\S]*1\/3/);
    expect((await type("backfill", "cancel", id)).stdout).toContain("CANCELLED");
    expect((await type("schedule", "delete", "e2e/typed", "morning")).exitCode).toBe(0);
    expect((await type("schedule", "ls", "e2e/typed")).stdout).toContain("no schedules");
  });

  it("say what is wrong", async ({ expect }) => {
    const twice = await type("schedule", "create", "e2e/typed", "--cron", "@daily", "--interval", "90");
    expect(twice.exitCode).not.toBe(0);
    expect(twice.stderr).toContain("said twice");
    const wrong = await type("schedule", "create", "e2e/typed", "--cron", "61 * * * *");
    expect(wrong.exitCode).not.toBe(0);
    expect(wrong.stderr.match(/Invalid cron string "61 \* \* \* \*"/g)).toHaveLength(1);
    const idle = await type("schedule", "create", "e2e/typed", "--cron", "@daily", "--anchor", "2026-12-01T00:00:00Z");
    expect([idle.exitCode, idle.stderr]).toEqual([2, expect.stringContaining("--anchor says something")]);
    const none = await type("schedule", "pause", "e2e/typed", "evening");
    expect([none.exitCode, none.stderr]).toEqual([5, expect.stringContaining('no schedule "evening"')]);
    const many = await type("backfill", "start", "e2e/typed", "--from", "2026-01-01", "--to", "2026-01-04");
    expect([many.exitCode, many.stderr]).toEqual([2, expect.stringContaining("has 0 schedules, not one")]);
  });
});
