import { describe, it } from "vitest";
import { aDeployment, call } from "../support/api.ts";

interface Run {
  readonly id: string;
}

async function anEndedRun(type: string): Promise<Run> {
  const { id } = await aDeployment({ parameters: { a: 1, b: 1 } });
  const run = (await call<Run>("POST", `/deployments/${id}/create_flow_run`, { tags: ["t"] })).body;
  for (const state of ["RUNNING", type]) {
    await call("POST", `/flow_runs/${run.id}/set_state`, { state: { type: state }, force: true });
  }
  return run;
}

async function aTask(run: Run, key: string, on: readonly string[] = []): Promise<string> {
  const request = {
    flow_run_id: run.id,
    task_key: key,
    dynamic_key: "0",
    name: key,
    state: { type: "COMPLETED" },
    task_inputs: { x: on.map((id) => ({ input_type: "task_run", id })) },
  };
  return (await call<Run>("POST", "/task_runs/", request)).body.id;
}

describe("a finished flow run", () => {
  it.for(["FAILED", "CRASHED", "CANCELLED", "COMPLETED"])("that is %s runs again", async (type, { expect }) => {
    const run = await anEndedRun(type);
    const again = await call("POST", `/flow_runs/${run.id}/retry`, {});
    expect(again).toMatchObject({
      status: 200,
      body: { id: run.id, state_type: "SCHEDULED", state_name: "AwaitingRetry" },
    });
    expect((await call("POST", `/flow_runs/${run.id}/retry`, {})).status).toBe(409);
  });

  it("runs again from a task on: that one and its dependents, not the others", async ({ expect }) => {
    const run = await anEndedRun("FAILED");
    const extract = await aTask(run, "extract");
    const other = await aTask(run, "other");
    const transform = await aTask(run, "transform", [extract]);
    const load = await aTask(run, "load", [transform, other]);
    await call("POST", `/flow_runs/${run.id}/retry`, { from_task_run_id: transform });
    const names = async (id: string) => (await call("GET", `/task_runs/${id}`)).body["state_name"];
    expect(await Promise.all([extract, other, transform, load].map(names))).toEqual([
      "Completed",
      "Completed",
      "Rerun",
      "Rerun",
    ]);
  });

  it("stays as it is when the task run is not its own", async ({ expect }) => {
    const run = await anEndedRun("FAILED");
    const answer = await call("POST", `/flow_runs/${run.id}/retry`, { from_task_run_id: crypto.randomUUID() });
    expect(answer.status).toBe(404);
    expect((await call("GET", `/flow_runs/${run.id}`)).body).toMatchObject({ state_type: "FAILED" });
  });

  it("with other parameters is a new run like it", async ({ expect }) => {
    const run = await anEndedRun("FAILED");
    const { body } = await call<Run>("POST", `/flow_runs/${run.id}/retry`, { parameters: { b: 2 } });
    expect(body).toMatchObject({
      parameters: { a: 1, b: 2 },
      tags: ["t"],
      labels: { "sluice.retry-of": run.id },
      state_type: "SCHEDULED",
    });
    expect(body.id).not.toBe(run.id);
    const both = { parameters: {}, from_task_run_id: crypto.randomUUID() };
    expect((await call("POST", `/flow_runs/${run.id}/retry`, both)).status).toBe(400);
  });

  it("without a deployment cannot run again by itself", async ({ expect }) => {
    const flow = await call<Run>("POST", "/flows/", { name: "retry-local" });
    const run = await call<Run>("POST", "/flow_runs/", { flow_id: flow.body.id, state: { type: "FAILED" } });
    expect((await call("POST", `/flow_runs/${run.body.id}/retry`, {})).status).toBe(400);
  });
});
