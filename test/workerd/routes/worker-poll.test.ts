/** The worker channel by requests. */
import { describe, it } from "vitest";
import type { FlowRunId } from "#protocol/ids";
import type { WorkerServerFrame } from "#protocol/worker-channel";
import { aDeployment, aPool, call } from "../support/api.ts";
import { Pool } from "../support/pools.ts";
import { until } from "../support/runs.ts";

interface Run {
  readonly id: FlowRunId;
}

async function poll(pool: string, wait_ms: number, runs: readonly object[] = []): Promise<WorkerServerFrame[]> {
  const hello = { type: "hello", protocol: 1, worker_name: "far", worker_type: "process", limit: 1, runs };
  const body = { frames: [hello], wait_ms };
  return (await call<{ frames: WorkerServerFrame[] }>("POST", `/work_pools/${pool}/poll`, body)).body.frames;
}

describe("a worker that goes by requests", () => {
  it("is answered as soon as there is a run, and is given the next when the first is gone", async ({ expect }) => {
    const pool = await aPool();
    const deployment = await aDeployment({ work_pool_name: pool.name });
    const create = async () => (await call<Run>("POST", `/deployments/${deployment.id}/create_flow_run`, {})).body.id;
    const waiting = poll(pool.name, 10_000);
    await until("it is online", async () => (await Pool.named(pool.name).status()).workers[0]?.online);
    const [first, second] = [await create(), await create()];
    const frames = await waiting;
    expect(frames).toMatchObject([{ type: "welcome" }, { type: "run", ticket: { flow_run_id: first, generation: 1 } }]);
    // As long as it has the first it is given nothing.
    expect(await poll(pool.name, 50, [{ flow_run_id: first, generation: 1 }])).toMatchObject([{ type: "welcome" }]);
    expect((await poll(pool.name, 2_000)).at(-1)).toMatchObject({ type: "run", ticket: { flow_run_id: second } });
  });

  it("ends its earlier request by another one", async ({ expect }) => {
    const pool = await aPool();
    const earlier = poll(pool.name, 30_000);
    await until("it is online", async () => (await Pool.named(pool.name).status()).workers[0]?.online);
    await poll(pool.name, 0);
    expect(await earlier).toMatchObject([{ type: "welcome" }]);
  });
});
