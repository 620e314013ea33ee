/** A pool's object and the objects that own flow runs, together. */
import { describe, it } from "vitest";
import { Pool } from "./support/pools.ts";
import { freshRunId, ownerStub, pooledRun, state, until } from "./support/runs.ts";

describe("a run of a deployment with a pool", () => {
  it("reaches a connected worker as soon as it is created, and is PENDING then", async ({ expect }) => {
    const pool = Pool.ofRealRuns();
    const worker = await pool.connect("w1");
    const id = freshRunId();
    await ownerStub(id).create(pooledRun(id, pool.name));
    const [run] = await worker.waitFor("run");
    expect(run?.ticket).toMatchObject({ flow_run_id: id, generation: 1, entrypoint: "flow.ts:main" });
    expect(await ownerStub(id).read(id)).toMatchObject({ state_type: "PENDING" });
  });

  it("waits for a worker, and leaves when it is cancelled", async ({ expect }) => {
    const pool = Pool.ofRealRuns();
    const [cancelled, waiting] = [freshRunId(), freshRunId()];
    for (const id of [cancelled, waiting]) await ownerStub(id).create(pooledRun(id, pool.name));
    await pool.shows("both runs wait", (status) => status.ready === 2);
    await ownerStub(cancelled).setState(cancelled, { state: state("CANCELLED"), force: false });
    await pool.shows("one run waits", (status) => status.ready === 1);
    const worker = await pool.connect("w1", { limit: 2 });
    await worker.waitFor("run");
    expect(worker.runs).toEqual([waiting]);
  });

  it("frees its slots when it has ended and its process is gone", async ({ expect }) => {
    const pool = Pool.ofRealRuns();
    await pool.configure({ concurrencyLimit: 1 });
    const worker = await pool.connect("w1");
    const [first, second] = [freshRunId(), freshRunId()];
    await ownerStub(first).create(pooledRun(first, pool.name));
    await worker.waitFor("run");
    await ownerStub(second).create(pooledRun(second, pool.name));
    await pool.shows("the second run waits", (status) => status.ready === 1);
    await ownerStub(first).setState(first, { state: state("RUNNING"), force: false });
    await ownerStub(first).setState(first, { state: state("COMPLETED"), force: false });
    worker.release();
    await worker.waitFor("run", 2);
    expect(worker.runs).toEqual([first, second]);
    expect(await pool.status()).toMatchObject({ ready: 0, held: 1, workers: [{ active: 1 }] });
  });

  it("is pushed to one worker however many pools' workers and offers there are", async ({ expect }) => {
    const pool = Pool.ofRealRuns();
    const workers = [await pool.connect("w1", { limit: 20 }), await pool.connect("w2", { limit: 20 })];
    const ids = Array.from({ length: 20 }, () => freshRunId());
    await Promise.all(ids.map((id) => ownerStub(id).create(pooledRun(id, pool.name))));
    const pushed = await until("twenty runs", async () => {
      const runs = workers.flatMap((worker) => worker.runs);
      return runs.length >= 20 ? runs : null;
    });
    expect(pushed.toSorted()).toEqual(ids.toSorted());
    expect(workers.map((worker) => worker.runs.length)).toEqual([10, 10]);
  });
});
