import { describe, it } from "vitest";
import { aDeployment, aFlow, aPool, call, freshName } from "../support/api.ts";

const SIX = { cron: "0 6 * * *" };

describe("schedules of a deployment", () => {
  it("have slugs of their own, and nothing is stored where they have not", async ({ expect }) => {
    const flow = await aFlow();
    const name = freshName("deployment");
    const twice = [{ schedule: SIX, slug: "morning" }, { schedule: SIX }, { schedule: SIX, slug: "morning" }];
    const answer = await call<{ exception_detail: object[] }>("POST", "/deployments/", {
      name,
      flow_id: flow.id,
      schedules: twice,
    });
    expect(answer.status).toBe(422);
    expect(answer.body.exception_detail).toMatchObject([{ loc: ["body", "schedules", 2, "slug"], input: "morning" }]);
    expect((await call("GET", `/deployments/name/${flow.name}/${name}`)).status).toBe(404);
  });

  it("are refused in a change as well, and stay as they were", async ({ expect }) => {
    const { id } = await aDeployment({ schedules: [{ schedule: SIX, slug: "morning" }] });
    const twice = [1, 2].map(() => ({ schedule: SIX, slug: "evening" }));
    expect((await call("PATCH", `/deployments/${id}`, { schedules: twice })).status).toBe(422);
    expect((await call("GET", `/deployments/${id}`)).body).toMatchObject({ schedules: [{ slug: "morning" }] });
  });

  it("may do without slugs", async ({ expect }) => {
    const { id } = await aDeployment({ schedules: [{ schedule: SIX }, { schedule: SIX, slug: null }] });
    const { body } = await call<{ schedules: unknown[] }>("GET", `/deployments/${id}`);
    expect(body.schedules).toHaveLength(2);
  });
});

describe("a deployment's parameter schema that cannot be used", () => {
  it.for([
    ["a $ref that leads nowhere", { properties: { n: { $ref: "#/nope" } } }],
    ["a $ref in a circle", { properties: { n: { $ref: "#/properties/n" } } }],
    ["a pattern that is no regular expression", { properties: { n: { pattern: "(" } } }],
  ] as const)("%s is told to whoever runs it, who may go without", async ([, schema], { expect }) => {
    const { id } = await aDeployment({ parameter_openapi_schema: { type: "object", ...schema } });
    const run = (more: object) =>
      call<{ detail: string }>("POST", `/deployments/${id}/create_flow_run`, { parameters: { n: "x" }, ...more });
    const refused = await run({});
    expect(refused.status).toBe(409);
    expect(refused.body.detail).toContain("parameter_openapi_schema");
    expect((await run({ enforce_parameter_schema: false })).status).toBe(201);
  });
});

describe("names of flows and deployments", () => {
  it.for(["a/b", "100%", "a&b", "<b>", ">"])("%j is refused, as upstream does", async (name, { expect }) => {
    expect((await call("POST", "/flows/", { name })).status).toBe(422);
    const flow = await aFlow();
    expect((await call("POST", "/deployments/", { name, flow_id: flow.id })).status).toBe(422);
  });
});

describe("a deployment that is made again", () => {
  it("keeps what is not said, and forgets what is said to be nothing", async ({ expect }) => {
    const [flow, pool] = [await aFlow(), await aPool()];
    const named = { flow_id: flow.id, name: "nightly" };
    const whole = { tags: ["a"], parameters: { n: 1 }, description: "first", work_pool_name: pool.name, paused: true };
    const first = await call<{ id: string }>("POST", "/deployments/", { ...named, ...whole });
    const again = await call("POST", "/deployments/", { ...named, description: null, parameters: { m: 2 } });
    expect(again).toMatchObject({
      status: 200,
      body: { id: first.body.id, ...whole, description: null, parameters: { m: 2 } },
    });
  });

  it("keeps its job variables when they are said to be null, made again or changed", async ({ expect }) => {
    const flow = await aFlow();
    const named = { flow_id: flow.id, name: "with-image" };
    const job_variables = { image: "my-image" };
    const { id } = (await call<{ id: string }>("POST", "/deployments/", { ...named, job_variables })).body;
    const again = await call("POST", "/deployments/", { ...named, job_variables: null });
    expect(again.body).toMatchObject({ id, job_variables });
    expect((await call("PATCH", `/deployments/${id}`, { job_variables: null })).status).toBe(204);
    expect((await call("GET", `/deployments/${id}`)).body).toMatchObject({ job_variables });
    expect((await call("PATCH", `/deployments/${id}`, { job_variables: {} })).status).toBe(204);
    expect((await call("GET", `/deployments/${id}`)).body).toMatchObject({ job_variables: {} });
  });
});
