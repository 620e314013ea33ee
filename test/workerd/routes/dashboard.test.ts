/** Alone in its file: what is not made here is not there. */
import { describe, it } from "vitest";
import { aDeployment, aPool, call } from "../support/api.ts";
import { until } from "../support/runs.ts";

interface Board {
  readonly totals: { readonly runs: number };
}

describe("the dashboard", () => {
  it("shows runs, rates, pools and failing deployments in one request", async ({ expect }) => {
    const empty = await call("POST", "/dashboard", {});
    expect(empty.body).toMatchObject({
      totals: { runs: 0, success_rate: null },
      work_pools: [],
      failing_deployments: [],
    });
    const pool = await aPool("local");
    await call("POST", `/work_pools/${pool.name}/workers/heartbeat`, { name: "w1" });
    const deployment = await aDeployment({ work_pool_name: pool.name });
    const run = async (type: string, more: object = {}) => {
      const made = await call<{ id: string }>("POST", `/deployments/${deployment.id}/create_flow_run`, more);
      if (type !== "SCHEDULED") {
        for (const state of ["RUNNING", type]) {
          await call("POST", `/flow_runs/${made.body.id}/set_state`, { state: { type: state }, force: true });
        }
      }
      return made.body.id;
    };
    await run("COMPLETED", { tags: ["nightly"] });
    await run("COMPLETED");
    await run("FAILED");
    const crashed = await run("CRASHED", { tags: ["nightly"] });
    const running = await run("RUNNING");
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const next = await run("SCHEDULED", { state: { type: "SCHEDULED", state_details: { scheduled_time: later } } });
    const board = await until("all copies are there", async () => {
      const { body } = await call<Board & Record<string, unknown>>("POST", "/dashboard", { bars: 4 });
      return (
        JSON.stringify(body["totals"]).includes('"COMPLETED":2') && JSON.stringify(body).includes('"RUNNING":1') && body
      );
    });
    expect(board).toMatchObject({
      totals: { runs: 5, by_state: { COMPLETED: 2, FAILED: 1, CRASHED: 1, RUNNING: 1 }, success_rate: 0.5 },
      now: { running: 1, scheduled: 1, late: 0, runs: [{ id: running }], next: [{ id: next }] },
      work_pools: [{ name: "local", status: "READY", workers_online: 1, running: 1, late: 0 }],
      failing_deployments: [{ id: deployment.id, failed: 2, ended: 4, last_failed_run_id: crashed }],
    });
    expect(board["history"]).toHaveLength(4);
    const tagged = await call<Board>("POST", "/dashboard", { tags: ["nightly"] });
    expect(tagged.body).toMatchObject({ totals: { runs: 2 }, failing_deployments: [{ failed: 1, ended: 2 }] });
    const wrong = { since: "2026-01-02T00:00:00Z", until: "2026-01-01T00:00:00Z" };
    expect((await call("POST", "/dashboard", wrong)).status).toBe(422);
  });
});

describe("the history of flow runs", () => {
  it("counts them by state in intervals of at least a second", async ({ expect }) => {
    const start = new Date(Date.now() - 3_600_000).toISOString();
    const query = { history_start: start, history_end: new Date(Date.now() + 60_000).toISOString() };
    const deployment = await aDeployment();
    const { body: run } = await call<{ id: string }>("POST", `/deployments/${deployment.id}/create_flow_run`, {});
    const filter = { flow_runs: { id: { any_: [run.id] } } };
    const history = await call<{ states: object[] }[]>("POST", "/flow_runs/history", {
      ...query,
      ...filter,
      history_interval_seconds: 7_200,
    });
    expect(history.body).toMatchObject([{ states: [{ state_type: "SCHEDULED", count_runs: 1 }] }]);
    const tooFine = await call("POST", "/flow_runs/history", { ...query, history_interval_seconds: 0.9 });
    expect(tooFine.status).toBe(422);
  });
});
