import { describe, it } from "vitest";
import { aFlow, call, freshName } from "../support/api.ts";

const TEMPLATE = {
  job_configuration: { image: "{{ image }}", count: "{{ count }}", secret: "{{ prefect.blocks.secret.x }}" },
  variables: {
    type: "object",
    properties: { image: { type: "string", default: "node" }, count: { type: "integer" }, note: { type: "string" } },
    required: ["image", "count"],
  },
};

async function aPool(template: object): Promise<{ status: number; name: string; text: string }> {
  const name = freshName("pool");
  const answer = await call("POST", "/work_pools/", { name, base_job_template: template });
  return { status: answer.status, name, text: JSON.stringify(answer.body) };
}

async function deploy(pool: string, job_variables: object) {
  const flow = await aFlow();
  const request = { name: freshName("d"), flow_id: flow.id, work_pool_name: pool, job_variables };
  return call<{ id: string }>("POST", "/deployments/", request);
}

describe("the template of a work pool", () => {
  it("declares every variable that it uses", async ({ expect }) => {
    expect((await aPool(TEMPLATE)).status).toBe(201);
    const wrong = await aPool({ ...TEMPLATE, job_configuration: { nested: { x: "{{ missing }}" } } });
    expect(wrong).toMatchObject({ status: 422, text: expect.stringContaining("undeclared variable(s): missing.") });
    expect((await aPool({ variables: {} })).status).toBe(422);
    expect((await aPool({})).status).toBe(201);
  });
});

describe("job variables", () => {
  it("of a deployment fit the template, but need not be complete", async ({ expect }) => {
    const { name } = await aPool(TEMPLATE);
    expect((await deploy(name, { image: "x" })).status).toBe(201);
    const wrong = await deploy(name, { count: "many" });
    expect(wrong).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining("for field 'count'. Failure reason: 'many' is not of type 'integer'") },
    });
  });

  it("of a run are complete, together with the deployment's and the defaults", async ({ expect }) => {
    const { name } = await aPool(TEMPLATE);
    const { id } = (await deploy(name, {})).body;
    const run = (job_variables: object) => call("POST", `/deployments/${id}/create_flow_run`, { job_variables });
    expect(await run({})).toMatchObject({
      status: 422,
      body: { detail: "Error creating flow run: Validation failed. Failure reason: 'count' is a required property" },
    });
    expect((await run({ count: 1, note: null, unknown: true })).status).toBe(201);
    expect((await run({ count: 1, image: null })).status).toBe(422);
  });
});
