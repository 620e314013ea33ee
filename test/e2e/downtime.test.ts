/** The control plane goes away for longer than a running flow may be silent, and comes back. */
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { startWorker } from "../support/runner.ts";
import { startTestServer } from "../support/server.ts";
import { controlPlane, traceFile } from "./control-plane.ts";

const HEARTBEAT_MS = 1_000;
const RUNS = 20;
const POOL = "downtime";

describe("a server that is down for three heartbeat intervals", () => {
  it("crashes none of twenty running flows, and offers none twice", { timeout: 180_000 }, async ({ expect }) => {
    await using server = await startTestServer({ env: { SLUICE_HEARTBEAT_MS: String(HEARTBEAT_MS) } });
    using trace = traceFile();
    const until = `${trace.path}-enough`;
    const plane = controlPlane(server.apiUrl);
    await plane.pool(POOL);
    await using worker = await startWorker({ apiUrl: server.apiUrl, pool: POOL, limit: RUNS });
    const deployment = await plane.deploy("test/e2e/flows/steps.ts:untilTold", POOL);
    const created = await Promise.all(
      Array.from({ length: RUNS }, () => plane.trigger(deployment, { trace: trace.path, until })),
    );
    const ids = created.map(({ id }) => id);
    for (const id of ids) await plane.reaches(id, "RUNNING", 60_000);
    await eventually("all flows have begun", () => trace.read().length === RUNS);

    await server.kill("SIGKILL");
    // The time is what this test is about: three intervals of silence, and a little.
    await sleep(3 * HEARTBEAT_MS + 500);
    await server.restart();
    // Deadlines begin anew at the start; whoever did not come back would be crashed within two terms from here.
    await sleep(6 * HEARTBEAT_MS + 500);

    const states = await Promise.all(ids.map(async (id) => (await plane.read(id)).state_name));
    expect(states, worker.text()).toEqual(ids.map(() => "Running"));

    writeFileSync(until, "");
    for (const id of ids) {
      const run = await plane.ends(id, 60_000);
      expect(run, run.state?.message ?? "").toMatchObject({ state_name: "Completed", run_count: 1 });
      expect(await plane.states(id)).toEqual(["Scheduled", "Pending", "Running", "Completed"]);
    }
    const executions = trace.read();
    expect(executions.filter(({ what }) => what === "start")).toHaveLength(RUNS);
    expect(new Set(executions.map(({ flowRunId }) => flowRunId)).size).toBe(RUNS);
    expect(worker.lines.filter(({ event }) => event === "run-started")).toHaveLength(RUNS);
    expect(worker.lines.filter(({ event }) => event === "run-ended").map(({ trouble }) => trouble)).toEqual(
      ids.map(() => null),
    );
  });
});
