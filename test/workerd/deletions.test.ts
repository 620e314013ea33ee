/** What goes with a flow, a deployment or a flow run that is deleted, and that nothing is left of a deletion cut short. */
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import type { FlowRun } from "#protocol/flow-runs";
import type { DeploymentId, FlowId } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";
import { queueOf } from "../../durable-objects/task-queue-owner.ts";
import { deleteDeployment, deleteFlow, unfinishedDeletions } from "../../worker/db/queries/deletions.ts";
import { finishDeletions } from "../../worker/delete-with-runs.ts";
import { aDeployment, aFlow, aPool, call, freshName } from "./support/api.ts";
import { ownerStub, until } from "./support/runs.ts";

async function aRun(flowId: string, type: string, more: Record<string, unknown> = {}): Promise<FlowRun> {
  return (await call<FlowRun>("POST", "/flow_runs/", { flow_id: flowId, state: { type }, ...more })).body;
}

async function aDeploymentsRun(id: string, type: string): Promise<FlowRun> {
  const run = await call<FlowRun>("POST", `/deployments/${id}/create_flow_run`, { state: { type } });
  return run.body;
}

const statusOf = async (id: string): Promise<number> => (await call("GET", `/flow_runs/${id}`)).status;

async function listed(flowId: string): Promise<string[]> {
  const { body } = await call<FlowRun[]>("POST", "/flow_runs/filter", { flows: { id: { any_: [flowId] } } });
  return body.map(({ id }) => id);
}

const later = (ms: number): EpochMs => (Date.now() + ms) as EpochMs;

async function noted(id: string): Promise<boolean> {
  return (await unfinishedDeletions(env, 1_000)).some((deletion) => deletion.id === id);
}

describe("a flow that is deleted", () => {
  it("takes its deployments and its runs with it, whatever their state", async ({ expect }) => {
    const flow = await aFlow();
    const deployment = await aDeployment({ flow_id: flow.id });
    const runs = await Promise.all(["PENDING", "RUNNING", "COMPLETED", "SCHEDULED"].map((type) => aRun(flow.id, type)));
    const other = await aRun((await aFlow()).id, "RUNNING");
    expect((await call("DELETE", `/flows/${flow.id}`)).status).toBe(204);
    expect(await Promise.all(runs.map(({ id }) => statusOf(id)))).toEqual([404, 404, 404, 404]);
    expect((await call("GET", `/deployments/${deployment.id}`)).status).toBe(404);
    expect(await statusOf(other.id)).toBe(200);
    expect((await call("DELETE", `/flows/${flow.id}`)).status).toBe(404);
  });

  it("loses the runs that a deletion cut short left, at the next tick", async ({ expect }) => {
    const flow = await aFlow();
    const runs = await Promise.all(Array.from({ length: 30 }, () => aRun(flow.id, "RUNNING")));
    // As far as the deletion itself, and not a run further.
    expect(await deleteFlow(env, flow.id as FlowId)).not.toBeNull();
    expect(await statusOf(runs[0]?.id ?? "")).toBe(200);
    await finishDeletions(env, later(0));
    expect(await listed(flow.id)).toEqual([]);
    expect(await Promise.all(runs.map(({ id }) => statusOf(id)))).toEqual(runs.map(() => 404));
  });

  it("is remembered for a minute, since another isolate may make a run of it meanwhile", async ({ expect }) => {
    const flow = await aFlow();
    await call("DELETE", `/flows/${flow.id}`);
    await finishDeletions(env, later(0));
    expect(await noted(flow.id)).toBe(true);
    await finishDeletions(env, later(61_000));
    expect(await noted(flow.id)).toBe(false);
  });

  it("loses a run whose owner had forgotten it already", async ({ expect }) => {
    const flow = await aFlow();
    const run = await aRun(flow.id, "RUNNING");
    await ownerStub(run.id).remove([run.id], { kind: "any" });
    expect(await listed(flow.id)).toEqual([run.id]);
    await call("DELETE", `/flows/${flow.id}`);
    expect(await listed(flow.id)).toEqual([]);
  });
});

describe("a deployment that is deleted", () => {
  it("takes its scheduled runs with it, and leaves those that have begun", async ({ expect }) => {
    const flow = await aFlow();
    const deployment = await aDeployment({ flow_id: flow.id });
    const [scheduled, running, done] = await Promise.all([
      aDeploymentsRun(deployment.id, "SCHEDULED"),
      aDeploymentsRun(deployment.id, "RUNNING"),
      aDeploymentsRun(deployment.id, "COMPLETED"),
    ]);
    const other = await aRun(flow.id, "SCHEDULED");
    expect((await call("DELETE", `/deployments/${deployment.id}`)).status).toBe(204);
    expect(await statusOf(scheduled.id)).toBe(404);
    expect(await Promise.all([running, done, other].map(({ id }) => statusOf(id)))).toEqual([200, 200, 200]);
    expect(new Set(await listed(flow.id))).toEqual(new Set([running.id, done.id, other.id]));
  });

  it("leaves a run that began after it was listed as scheduled", async ({ expect }) => {
    const flow = await aFlow();
    const deployment = await aDeployment({ flow_id: flow.id });
    const run = await aDeploymentsRun(deployment.id, "SCHEDULED");
    await call("POST", `/flow_runs/${run.id}/set_state`, { state: { type: "PENDING" }, force: true });
    await until("the copy", async () => {
      const row = await env.DB.prepare("SELECT state_type FROM flow_runs WHERE id = ?").bind(run.id).first();
      return row?.["state_type"] === "PENDING";
    });
    await env.DB.prepare("UPDATE flow_runs SET state_type = 'SCHEDULED' WHERE id = ?").bind(run.id).run();
    await call("DELETE", `/deployments/${deployment.id}`);
    expect(await statusOf(run.id)).toBe(200);
  });

  it("takes its waiting runs out of their pool", async ({ expect }) => {
    const pool = await aPool();
    const deployment = await aDeployment({ work_pool_name: pool.name });
    const run = await aDeploymentsRun(deployment.id, "SCHEDULED");
    const polled = async (): Promise<string[]> => {
      const path = `/work_pools/${pool.name}/get_scheduled_flow_runs`;
      const { body } = await call<{ flow_run: FlowRun }[]>("POST", path, {});
      return body.map(({ flow_run }) => flow_run.id);
    };
    await until("the offer", async () => (await polled()).includes(run.id));
    expect(await deleteDeployment(env, deployment.id as DeploymentId)).not.toBeNull();
    await finishDeletions(env, later(0));
    expect(await polled()).toEqual([]);
  });
});

describe("a flow run that is deleted", () => {
  it("takes its background tasks out of their queues", async ({ expect }) => {
    const run = await aRun((await aFlow()).id, "RUNNING");
    const key = freshName("task");
    const state = { type: "SCHEDULED", state_details: { deferred: true } };
    const task = { flow_run_id: run.id, task_key: key, dynamic_key: "0", state };
    expect((await call("POST", "/task_runs/", task)).status).toBe(201);
    await call("DELETE", `/flow_runs/${run.id}`);
    // Whoever asks next has waited for a task worker's turn, so the queue has settled.
    await scheduler.wait(50);
    expect(await queueOf(env, key).next(`subscriptions-0|${crypto.randomUUID()}`)).toBeNull();
  });

  it("is found by its rows where the deletion was cut short", async ({ expect }) => {
    const flow = await aFlow();
    const run = await aRun(flow.id, "RUNNING");
    await ownerStub(run.id).remove([run.id], { kind: "any" });
    expect((await call("DELETE", `/flow_runs/${run.id}`)).status).toBe(204);
    expect(await listed(flow.id)).toEqual([]);
    expect((await call("DELETE", `/flow_runs/${run.id}`)).status).toBe(404);
  });
});
