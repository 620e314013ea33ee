import { describe, it } from "vitest";
import { STATE_TYPES } from "#protocol/states";
import type { TaskRun } from "#protocol/task-runs";
import type { TaskRunOutcomes } from "#protocol/ui-task-runs";
import { aFlow, call } from "../support/api.ts";

async function aRunWith(states: readonly string[]) {
  const flow = await aFlow();
  const run = await call<{ id: string; name: string }>("POST", "/flow_runs/", { flow_id: flow.id });
  const tasks: TaskRun[] = [];
  for (const [key, type] of states.entries()) {
    const request = { flow_run_id: run.body.id, task_key: "t", dynamic_key: String(key), state: { type } };
    tasks.push((await call<TaskRun>("POST", "/task_runs/", request)).body);
  }
  return { ...run.body, tasks, filter: { flow_run_id: { any_: [run.body.id] } } };
}

describe("what upstream's UI reads of task runs", () => {
  it("is how many are in each type of state, all types named", async ({ expect }) => {
    const run = await aRunWith(["COMPLETED", "COMPLETED", "FAILED"]);
    const { body } = await call("POST", "/ui/task_runs/count", { task_runs: run.filter });
    const none = Object.fromEntries(STATE_TYPES.map((type) => [type, 0]));
    expect(body).toEqual({ ...none, COMPLETED: 2, FAILED: 1 });
  });

  it("is how those ended that started in each twentieth of a span", async ({ expect }) => {
    const run = await aRunWith(["COMPLETED", "CANCELLED", "CRASHED", "RUNNING"]);
    const after_ = new Date(Date.now() - 60 * 60_000).toISOString();
    const request = { task_runs: { ...run.filter, start_time: { after_ } } };
    const { body } = await call<TaskRunOutcomes[]>("POST", "/ui/task_runs/dashboard/counts", request);
    expect(body).toHaveLength(20);
    expect(body[19]).toEqual({ completed: 2, failed: 1 });
    expect(body.slice(0, 19).every(({ completed, failed }) => completed + failed === 0)).toBe(true);
  });

  it("needs the start of that span", async ({ expect }) => {
    const { status, body } = await call("POST", "/ui/task_runs/dashboard/counts", { task_runs: {} });
    expect(status).toBe(422);
    expect(JSON.stringify(body)).toContain("task_runs.start_time.after_ is required");
  });

  it("is one task run with the name of its flow run", async ({ expect }) => {
    const { name, tasks } = await aRunWith(["RUNNING"]);
    const { body } = await call("GET", `/ui/task_runs/${tasks[0]?.id}`);
    expect(body).toMatchObject({ id: tasks[0]?.id, flow_run_name: name });
    const alone = await call("POST", "/task_runs/", { task_key: "t", dynamic_key: crypto.randomUUID() });
    expect((await call("GET", `/ui/task_runs/${alone.body["id"]}`)).body).toMatchObject({ flow_run_name: null });
  });
});
