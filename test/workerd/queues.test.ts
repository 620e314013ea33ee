import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import worker from "../../worker/index.ts";
import { freshRunId, ownerStub, pooledRun } from "./support/runs.ts";

function message(id: string, body: unknown, attempts = 1) {
  return { id, timestamp: new Date(), attempts, body };
}

/** What D1 and the owners of runs are while they are away. */
const away = () => {
  throw new Error("It is not there.");
};
const ALONE = {
  ...env,
  FLOW_RUNS: { getByName: () => ({ offer: async () => away(), retry: async () => away() }) },
  DB: { prepare: away, batch: away },
} as unknown as Env;

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

it.for([
  ["dispatch", "the offer of a run", { flow_run_id: freshRunId() }],
  ["dispatch", "a page of schedules", { schedule_ids: [crypto.randomUUID()] }],
  ["dispatch", "the end of a run of a backfill", { backfill_id: crypto.randomUUID(), ended_run_id: freshRunId() }],
  ["pushes", "a push", { pool_name: "p", flow_run_id: freshRunId(), generation: 1, reason: "It was given up." }],
  ["pushes", "nonsense", { nonsense: 1 }],
] as const)(
  "queue %s: %s that cannot be handled is tried again later each time",
  async ([queue, , body], { expect }) => {
    const delays: (number | undefined)[] = [];
    const messages = [1, 3, 9].map((attempts) => ({
      ...message(`${attempts}`, body, attempts),
      ack: () => delays.push(0),
      retry: (options?: QueueRetryOptions) => delays.push(options?.delaySeconds),
    }));
    await worker.queue({ queue, messages } as unknown as MessageBatch, ALONE);
    expect(delays).toEqual([2, 8, 60]);
  },
);

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
