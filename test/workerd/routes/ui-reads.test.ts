/** What Prefect's own UI asks for. */
import { describe, it } from "vitest";
import { aDeployment, aFlow, call } from "../support/api.ts";
import { until } from "../support/runs.ts";

interface Made {
  readonly id: string;
}

async function aRun(flowId: string, state: object, more: object = {}): Promise<Made> {
  return (await call<Made>("POST", "/flow_runs/", { flow_id: flowId, state, ...more })).body;
}

async function aTask(run: Made, key: string, type: string): Promise<Made> {
  const request = { flow_run_id: run.id, task_key: key, dynamic_key: "0", name: key, state: { type } };
  return (await call<Made>("POST", "/task_runs/", request)).body;
}

describe("the UI's reads", () => {
  it("draw flow runs as dots", async ({ expect }) => {
    const flow = await aFlow();
    const run = await aRun(flow.id, { type: "RUNNING" });
    const dots = await call("POST", "/ui/flow_runs/history", { flows: { id: { any_: [flow.id] } } });
    expect(dots.body).toMatchObject([{ id: run.id, state_type: "RUNNING", lateness: 0 }]);
    expect((await call("POST", "/ui/flow_runs/history", { limit: 1_001 })).status).toBe(422);
  });

  it("count the task runs of flow runs without subflows", async () => {
    const flow = await aFlow();
    const [run, empty] = [await aRun(flow.id, { type: "RUNNING" }), await aRun(flow.id, { type: "RUNNING" })];
    await aTask(run, "plain", "COMPLETED");
    await aTask(run, "lost", "FAILED");
    const child = await aTask(run, "child", "RUNNING");
    await aRun(flow.id, { type: "RUNNING" }, { parent_task_run_id: child.id });
    const ids = { flow_run_ids: [run.id, empty.id] };
    await until("both are counted", async () => {
      const { body } = await call<Record<string, number>>("POST", "/ui/flow_runs/count-task-runs", ids);
      return body[run.id] === 2 && body[empty.id] === 0;
    });
  });

  it("count deployments and name the next run of flows", async ({ expect }) => {
    const deployment = await aDeployment();
    const other = await aFlow();
    const soon = new Date(Date.now() + 60_000).toISOString();
    for (const scheduled_time of [new Date(Date.now() + 120_000).toISOString(), soon]) {
      await aRun(deployment.flow_id, { type: "SCHEDULED", state_details: { scheduled_time } });
    }
    const body = { flow_ids: [deployment.flow_id, other.id] };
    expect((await call("POST", "/ui/flows/count-deployments", body)).body).toEqual({
      [deployment.flow_id]: 1,
      [other.id]: 0,
    });
    expect((await call("POST", "/ui/flows/next-runs", body)).body).toMatchObject({
      [deployment.flow_id]: { next_scheduled_start_time: soon.replace("Z", "000Z") },
      [other.id]: null,
    });
  });

  it("hold the values of a form against its schema", async ({ expect }) => {
    const schema = {
      type: "object",
      properties: { n: { type: "integer" }, list: { type: "array", items: { type: "string" } } },
      required: ["n"],
    };
    const check = (values: object) => call("POST", "/ui/schemas/validate", { schema, values });
    expect((await check({ n: 1, list: ["a"] })).body).toEqual({ errors: [], valid: true });
    const wrong = await check({ list: ["a", 2] });
    expect(wrong.body).toMatchObject({ valid: false });
    expect(JSON.stringify(wrong.body)).toContain('"property":"n"');
    expect(JSON.stringify(wrong.body)).toContain('"index":1');
    expect((await call("POST", "/ui/schemas/validate", { schema: { $ref: "#/x" }, values: {} })).status).toBe(422);
  });
});
