import { describe, it } from "vitest";
import type { TaskRun } from "#protocol/task-runs";
import { aFlow, call } from "../support/api.ts";

async function aRun(state = "RUNNING"): Promise<string> {
  const flow = await aFlow();
  return (await call<{ id: string }>("POST", "/flow_runs/", { flow_id: flow.id, state: { type: state } })).body.id;
}

async function aTask(more: Record<string, unknown>): Promise<TaskRun> {
  return (await call<TaskRun>("POST", "/task_runs/", { task_key: "extract", dynamic_key: "0", ...more })).body;
}

describe("pages of task runs", () => {
  it.for([
    { limit: 2, page: 1, rows: 2, pages: 3 },
    { limit: 2, page: 3, rows: 1, pages: 3 },
    { limit: 2, page: 4, rows: 0, pages: 3 },
    { limit: 5, page: 1, rows: 5, pages: 1 },
    { limit: 0, page: 1, rows: 0, pages: 0 },
  ])("of $limit: page $page has $rows of 5 rows in $pages pages", async ({ limit, page, rows, pages }, { expect }) => {
    const run = await aRun();
    for (let key = 0; key < 5; key++) await aTask({ flow_run_id: run, dynamic_key: String(key) });
    const { status, body } = await call<{ results: unknown[] }>("POST", "/task_runs/paginate", {
      limit,
      page,
      task_runs: { flow_run_id: { any_: [run] } },
    });
    expect(status).toBe(200);
    expect(body.results).toHaveLength(rows);
    expect(body).toMatchObject({ count: 5, limit, pages, page });
  });

  it("start with 200 rows of the first page when nothing is asked", async ({ expect }) => {
    expect((await call("POST", "/task_runs/paginate")).body).toMatchObject({ limit: 200, page: 1 });
    expect((await call("POST", "/task_runs/paginate", { page: 0 })).status).toBe(422);
  });
});
