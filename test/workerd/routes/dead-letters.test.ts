import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import type { FlowRunId } from "#protocol/ids";
import { aDeployment, aPool, call } from "../support/api.ts";
import { Pool } from "../support/pools.ts";
import { until } from "../support/runs.ts";

interface Letter {
  readonly id: string;
  readonly queue: string;
}

async function aLetter(queue: string, body: unknown): Promise<string> {
  const id = crypto.randomUUID();
  await env.DB.prepare("INSERT INTO dead_letters (id, queue, body, attempts, created) VALUES (?, ?, ?, ?, ?)")
    .bind(id, queue, JSON.stringify(body), 10, Date.now())
    .run();
  return id;
}

describe("a message that was given up", () => {
  it("is listed, by its queue, and read with what it says", async ({ expect }) => {
    const id = await aLetter("dispatch", { flow_run_id: "x" });
    await aLetter("events", { other: true });
    const listed = await call<Letter[]>("POST", "/dead_letters/filter", { queue: "dispatch" });
    expect(listed.body.map((letter) => letter.queue)).not.toContain("events");
    expect(listed.body.map((letter) => letter.id)).toContain(id);
    expect((await call("GET", `/dead_letters/${id}`)).body).toMatchObject({
      body: { flow_run_id: "x" },
      attempts: 10,
    });
  });

  it("brings its run to the pool when it is sent again, and is a letter no more", async ({ expect }) => {
    const pool = await aPool();
    const deployment = await aDeployment({ work_pool_name: pool.name });
    const run = (await call<{ id: FlowRunId }>("POST", `/deployments/${deployment.id}/create_flow_run`, {})).body.id;
    const object = Pool.named(pool.name);
    await object.stub.withdraw(run);
    const id = await aLetter("dispatch", { flow_run_id: run });
    expect((await call("POST", `/dead_letters/${id}/replay`)).status).toBe(202);
    await until("the run waits in its pool", async () => (await object.status()).ready === 1);
    expect((await call("POST", `/dead_letters/${id}/replay`)).status).toBe(404);
  });

  it("is not sent to a queue that is not there", async ({ expect }) => {
    const id = await aLetter("gone", {});
    expect((await call("POST", `/dead_letters/${id}/replay`)).status).toBe(409);
    expect((await call("DELETE", `/dead_letters/${id}`)).status).toBe(204);
    expect((await call("DELETE", `/dead_letters/${id}`)).status).toBe(404);
  });
});
