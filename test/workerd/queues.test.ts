import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import worker from "../../worker/index.ts";
import { freshRunId, ownerStub, pooledRun } from "./support/runs.ts";

function message(id: string, body: unknown) {
  return { id, timestamp: new Date(), attempts: 1, body };
}

describe("the dispatch queue", () => {
  it("offers what it understands, and retries the poisoned messages among them", async ({ expect }) => {
    const id = freshRunId();
    const pool = `queue-${id}`;
    await ownerStub(id).create(pooledRun(id, pool));
    const batch = createMessageBatch("dispatch", [
      message("good", { flow_run_id: id }),
      message("bad", { nonsense: 1 }),
      message("lost", { flow_run_id: "0193a000-0000-4000-8000-00000000dead" }),
    ]);
    const ctx = createExecutionContext();
    await worker.queue(batch, env);
    const result = await getQueueResult(batch, ctx);
    expect(result.explicitAcks).toEqual(["good"]);
    expect(result.retryMessages.map(({ msgId }) => msgId)).toEqual(["bad", "lost"]);
    expect((await env.WORK_POOLS.getByName(pool).status()).ready).toBe(1);
  });

  it("offers a run once when its message comes twice", async ({ expect }) => {
    const id = freshRunId();
    const pool = `queue-${id}`;
    await ownerStub(id).create(pooledRun(id, pool));
    const batch = createMessageBatch("dispatch", [
      message("a", { flow_run_id: id }),
      message("b", { flow_run_id: id }),
    ]);
    await worker.queue(batch, env);
    expect((await env.WORK_POOLS.getByName(pool).status()).ready).toBe(1);
  });
});

describe("a dead letter", () => {
  it("is kept once, with its queue and body", async ({ expect }) => {
    for (const _ of [1, 2]) {
      const batch = createMessageBatch("dispatch-dead", [message("dead-1", { flow_run_id: "x" })]);
      await worker.queue(batch, env);
      expect((await getQueueResult(batch, createExecutionContext())).ackAll).toBe(true);
    }
    const { results } = await env.DB.prepare("SELECT queue, body FROM dead_letters WHERE id = 'dead-1'").all();
    expect(results).toEqual([{ queue: "dispatch", body: '{"flow_run_id":"x"}' }]);
  });
});
