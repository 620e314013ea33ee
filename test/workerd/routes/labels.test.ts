import { describe, it } from "vitest";
import { call, freshName } from "../support/api.ts";

interface Labelled {
  readonly id: string;
  readonly labels: Record<string, unknown>;
}

describe("labels", () => {
  it("go from a flow to its deployments and runs, and tell where those belong", async ({ expect }) => {
    const flow = (await call<Labelled>("POST", "/flows/", { name: freshName("flow"), labels: { team: "data", a: 1 } }))
      .body;
    const run = await call<Labelled>("POST", "/flow_runs/", { flow_id: flow.id, labels: { a: 2 } });
    expect(run.body.labels).toEqual({ team: "data", a: 2, "prefect.flow.id": flow.id });
    const request = { name: freshName("deployment"), flow_id: flow.id, labels: { tier: "gold" } };
    const deployment = (await call<Labelled>("POST", "/deployments/", request)).body;
    expect(deployment.labels).toEqual({ team: "data", a: 1, tier: "gold", "prefect.flow.id": flow.id });
    const deployed = await call<Labelled>("POST", `/deployments/${deployment.id}/create_flow_run`, {
      labels: { b: 3 },
    });
    expect(deployed.body.labels).toEqual({
      team: "data",
      a: 1,
      tier: "gold",
      b: 3,
      "prefect.flow.id": flow.id,
      "prefect.deployment.id": deployment.id,
      "sluice.deployment.version": 1,
    });
  });

  it("go from a deployment to a run that names it, however it is made", async ({ expect }) => {
    const flow = (await call<Labelled>("POST", "/flows/", { name: freshName("flow"), labels: { a: 1, b: 1 } })).body;
    const request = { name: freshName("deployment"), flow_id: flow.id, labels: { b: 2, c: 2 } };
    const deployment = (await call<Labelled>("POST", "/deployments/", request)).body;
    const named = { flow_id: flow.id, deployment_id: deployment.id, labels: { c: 3 } };
    expect((await call<Labelled>("POST", "/flow_runs/", named)).body.labels).toEqual({
      a: 1,
      b: 2,
      c: 3,
      "prefect.flow.id": flow.id,
      "prefect.deployment.id": deployment.id,
    });
  });
});
