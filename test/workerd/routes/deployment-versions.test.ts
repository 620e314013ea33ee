import { describe, it } from "vitest";
import { aDeployment, aFlow, aPool, call, freshName } from "../support/api.ts";

interface Version {
  readonly number: number;
  readonly content: { readonly details: { readonly entrypoint: string }; readonly tags: string[] };
}

describe("the versions of a deployment", () => {
  it("are one for each change of what it runs, and stay as they were", async ({ expect }) => {
    const flow = await aFlow();
    const pool = await aPool();
    const name = freshName("deployment");
    const deploy = (entrypoint: string) =>
      call<{ id: string }>("POST", "/deployments/", { name, flow_id: flow.id, work_pool_name: pool.name, entrypoint });
    const { id } = (await deploy("a.ts:main")).body;
    await deploy("a.ts:main");
    await call("POST", `/deployments/${id}/pause_deployment`);
    await deploy("b.ts:main");
    await call("PATCH", `/deployments/${id}`, { tags: ["late"] });
    const versions = await call<Version[]>("GET", `/deployments/${id}/versions`);
    expect(versions.body.map(({ number, content }) => [number, content.details.entrypoint, content.tags])).toEqual([
      [3, "b.ts:main", ["late"]],
      [2, "b.ts:main", []],
      [1, "a.ts:main", []],
    ]);
    expect((await call("GET", `/deployments/${id}/versions?limit=1&offset=1`)).body).toMatchObject([{ number: 2 }]);
  });

  it("are named by runs, and rolled back to", async ({ expect }) => {
    const { id } = await aDeployment({ entrypoint: "a.ts:main", parameters: { n: 1 } });
    const label = async () => {
      const run = await call<{ labels: Record<string, unknown> }>("POST", `/deployments/${id}/create_flow_run`, {});
      return run.body.labels["sluice.deployment.version"];
    };
    expect(await label()).toBe(1);
    await call("PATCH", `/deployments/${id}`, { entrypoint: "b.ts:main", parameters: { n: 2 } });
    expect(await label()).toBe(2);
    const restored = await call("POST", `/deployments/${id}/versions/1/restore`);
    expect(restored.body).toMatchObject({ entrypoint: "a.ts:main", parameters: { n: 1 } });
    expect(await label()).toBe(3);
    expect((await call("GET", `/deployments/${id}/versions/2`)).body).toMatchObject({
      content: { details: { entrypoint: "b.ts:main" } },
    });
    expect((await call("POST", `/deployments/${id}/versions/9/restore`)).status).toBe(404);
  });

  it("go with the deployment", async ({ expect }) => {
    const { id } = await aDeployment();
    await call("DELETE", `/deployments/${id}`);
    expect((await call("GET", `/deployments/${id}/versions/1`)).status).toBe(404);
  });
});
