import { describe, it } from "vitest";
import { LIMITS } from "#protocol/limits";
import { aDeployment, aFlow, aPool, call, freshName } from "../support/api.ts";

interface Run {
  readonly id: string;
  readonly parameters: unknown;
  readonly state: { readonly message: string };
}

async function create(more: object) {
  const flow = await aFlow();
  return call<Run>("POST", "/flow_runs/", { flow_id: flow.id, ...more });
}

/** An object whose JSON has this many bytes. */
function ofSize(bytes: number): Record<string, string> {
  return { k: "x".repeat(bytes - '{"k":""}'.length) };
}

describe("a flow run that is created", () => {
  it("is PENDING when no state is given", async ({ expect }) => {
    expect((await create({})).body).toMatchObject({ state: { type: "PENDING" }, run_count: 0 });
  });

  it("lies in the pool and the queue that it names, which must be there", async ({ expect }) => {
    const pool = await aPool();
    expect((await create({ work_pool_name: pool.name })).body).toMatchObject({
      work_pool_name: pool.name,
      work_queue_name: "default",
      work_pool_id: pool.id,
    });
    expect((await create({ work_pool_name: pool.name, work_queue_name: "none" })).status).toBe(404);
    expect((await create({ work_pool_name: "none" })).status).toBe(404);
  });

  it("names the automation that made it", async ({ expect }) => {
    const flow = await aFlow();
    const id = "0193a000-0000-7000-8000-00000000a070";
    const headers = { "prefect-automation-id": id, "prefect-automation-name": btoa("nightly") };
    const { body } = await call("POST", "/flow_runs/", { flow_id: flow.id }, headers);
    expect(body).toMatchObject({ created_by: { id, type: "AUTOMATION", display_value: "nightly" } });
  });

  it.for([
    ["context", LIMITS.detailBytes],
    ["labels", LIMITS.detailBytes],
    ["job_variables", LIMITS.detailBytes],
    ["parameters", LIMITS.parameterBytes],
  ] as const)("has %s of at most %i bytes", async ([field, bytes], { expect }) => {
    expect((await create({ [field]: ofSize(bytes) })).status).toBe(201);
    const over = await create({ [field]: ofSize(bytes + 1) });
    expect(over.status).toBe(422);
    expect(JSON.stringify(over.body)).toContain(field);
  });

  it("has a state whose data is bounded and whose message is cut", async ({ expect }) => {
    const data = (bytes: number) => ({ state: { type: "COMPLETED", data: ofSize(bytes) } });
    expect((await create(data(LIMITS.stateDataBytes))).status).toBe(201);
    expect((await create(data(LIMITS.stateDataBytes + 1))).status).toBe(422);
    const long = await create({ state: { type: "FAILED", message: "m".repeat(LIMITS.stateMessageChars + 3) } });
    expect(long.body.state.message).toMatch(/m… \(3 characters cut\)$/);
  });

  it("of a flow that was deleted here is refused at once", async ({ expect }) => {
    const flow = await aFlow();
    expect((await call("POST", "/flow_runs/", { flow_id: flow.id })).status).toBe(201);
    await call("DELETE", `/flows/${flow.id}`);
    expect((await call("POST", "/flow_runs/", { flow_id: flow.id })).status).toBe(404);
  });
});

describe("the parameters of a deployment's run", () => {
  it("may stand for other values", async ({ expect }) => {
    const name = freshName("variable");
    await call("POST", "/variables/", { name, value: { a: [1] } });
    const { id } = await aDeployment({ parameters: { kept: 1 } });
    const parameters = {
      list: { __prefect_kind: "json", value: "[1, 2]" },
      nested: [{ __prefect_kind: "workspace_variable", variable_name: name }],
      plain: { __prefect_kind: "none", value: { x: 1 } },
    };
    const run = await call<Run>("POST", `/deployments/${id}/create_flow_run`, { parameters });
    expect(run.body.parameters).toEqual({ kept: 1, list: [1, 2], nested: [{ a: [1] }], plain: { x: 1 } });
  });

  it.for([
    { value: { __prefect_kind: "json", value: "[" }, says: "Invalid JSON" },
    { value: { __prefect_kind: "workspace_variable", variable_name: "nobody" }, says: "nobody" },
    { value: { __prefect_kind: "jinja", template: "{{ x }}" }, says: "Jinja" },
    { value: { __prefect_kind: "other" }, says: "other" },
  ])("are refused with 400 when $value stands for nothing", async ({ value, says }, { expect }) => {
    const { id } = await aDeployment();
    const run = await call("POST", `/deployments/${id}/create_flow_run`, { parameters: { p: value } });
    expect(run.status).toBe(400);
    expect(JSON.stringify(run.body)).toContain(says);
  });
});

describe("the job variables of a run", () => {
  it("change only while a run of a deployment is scheduled", async ({ expect }) => {
    const { id } = await aDeployment();
    const run = (await call<Run>("POST", `/deployments/${id}/create_flow_run`, {})).body;
    const patch = () => call("PATCH", `/flow_runs/${run.id}`, { job_variables: { image: "x" } });
    expect((await patch()).status).toBe(204);
    expect((await call("GET", `/flow_runs/${run.id}`)).body).toMatchObject({ job_variables: { image: "x" } });
    await call("POST", `/flow_runs/${run.id}/set_state`, { state: { type: "PENDING" } });
    expect(await patch()).toMatchObject({ status: 400, body: { code: "bad_request" } });
    const local = await create({ state: { type: "SCHEDULED" } });
    expect((await call("PATCH", `/flow_runs/${local.body.id}`, { job_variables: {} })).status).toBe(400);
  });
});
