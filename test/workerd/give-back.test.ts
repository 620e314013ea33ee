/** Runs that workers could not start and hand back. */
import { describe, it } from "vitest";
import type { FlowRunId } from "#protocol/ids";
import { call } from "./support/api.ts";
import { movableClock, Pool } from "./support/pools.ts";
import { freshRunId, ownerStub, pooledRun, state, until } from "./support/runs.ts";

const moveClock = movableClock();

async function claim(id: FlowRunId, name: string): Promise<number> {
  moveClock(10_000);
  return (await until("the claim", () => ownerStub(id).claim(id, { name }))).generation;
}

const giveBack = (id: FlowRunId, generation: number, reason = "No such file.") =>
  call<{ given_back: boolean }>("POST", `/flow_runs/${id}/give_back`, { generation, reason });

it("a claim is answered alike to its worker until it is over, and to nobody else", async ({ expect }) => {
  const id = freshRunId();
  await ownerStub(id).create(pooledRun(id, Pool.ofRealRuns().name));
  const ask = (name: string) => ownerStub(id).claim(id, { name });
  expect(await ask("one")).toMatchObject({ generation: 1 });
  expect(await ask("one")).toMatchObject({ generation: 1 });
  expect(await ask("two")).toBeNull();
  moveClock(30_001);
  expect(await ask("one")).toBeNull();
});

describe("a run that is given back", () => {
  it("waits again, and after three times is Crashed with what each worker said", async ({ expect }) => {
    const pool = Pool.ofRealRuns();
    const id = freshRunId();
    await ownerStub(id).create(pooledRun(id, pool.name));
    for (const [attempt, name] of ["one", "two", "three"].entries()) {
      const generation = await claim(id, name);
      const answer = await giveBack(id, generation, `Worker "${name}" has no disk.`);
      expect(answer).toMatchObject({ status: 200, body: { given_back: true } });
      expect((await ownerStub(id).read(id))?.state_type).toBe(attempt < 2 ? "SCHEDULED" : "CRASHED");
    }
    expect((await ownerStub(id).read(id))?.state?.message).toBe(
      'No worker started this run. 1: Worker "one" has no disk. 2: Worker "two" has no disk. 3: Worker "three" has no disk.',
    );
  });

  it("was not started: one that runs, or was claimed anew, stays as it is", async ({ expect }) => {
    const pool = Pool.ofRealRuns();
    const id = freshRunId();
    await ownerStub(id).create(pooledRun(id, pool.name));
    const first = await claim(id, "one");
    expect((await giveBack(id, first)).body).toEqual({ given_back: true });
    expect((await giveBack(id, first)).body).toEqual({ given_back: false });
    const second = await claim(id, "two");
    expect((await giveBack(id, first)).body).toEqual({ given_back: false });
    await ownerStub(id).setState(id, { state: state("RUNNING"), force: false });
    expect((await giveBack(id, second)).body).toEqual({ given_back: false });
    expect((await giveBack(freshRunId(), 1)).status).toBe(404);
  });
});
